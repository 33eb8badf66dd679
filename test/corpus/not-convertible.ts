// Files of the corpus that nobody can convert, or nobody should, and why; each was tried with 7-Zip 16, libarchive 3.6 (bsdtar), unar,
// unzip and unrar as WebAssembly, or with GraphicsMagick, ImageMagick, OpenJPEG, libheif, libjxl and DjVuLibre. What one of those opens
// and we do not is not here.

/** What is said of several. */
const WHY = {
  emptyFiles: 'holds empty files alone',
  noFile: 'holds no file',
  noType: 'its files are bytes of no type',
  program: 'a program for a machine is all that is in it, which is refused on purpose',
  header7z: 'its header is broken on purpose: every reader gives it up',
  rar5: 'made by a fuzzer: its data are broken for every reader',
  rar4: 'made by a fuzzer: no reader gets a whole file out of it',
  zipFuzz: 'some bytes of a fuzzer: no reader finds an entry in it',
  disc: 'an image of a disc, which is refused unless the policy opens it; no file of it is of a type',
  tga: 'made by a fuzzer: no reader gets a picture out of it',
  ico: 'made by a fuzzer: its picture has no size that is one',
  png: 'PngSuite, corrupt on purpose: no reader takes it',
  pngSums: 'PngSuite, corrupt on purpose, for readers to refuse it: its sums are wrong; GraphicsMagick alone draws it',
} as const;

const under = (folder: string, why: string, names: string): [string, string][] =>
  names
    .trim()
    .split(/\s+/)
    .map((name) => [folder + name, why]);

const LIBARCHIVE = 'archive/libarchive/test_read_format_';
const IMAGE_RS = 'image/image-rs/';

export const NOT_CONVERTIBLE: ReadonlyMap<string, string> = new Map([
  ['office/poi/document-truncated62886.docx', 'cut on purpose'],
  ['office/poi/openxml4j-invalid.xlsx', 'no bytes'],
  ['office/opf-office/ecdl_paris.ppt', 'PowerPoint 4, which no engine reads'],
  ['office/poi/poifs-only-zero-byte-streams.ole2', 'an OLE file without a document'],
  ['office/poi/integration-stress025.docx', 'a theme of colours without a document; LibreOffice does not load it'],

  ['archive/libarchive/test_compat_zip_1.zip', 'a Java archive, which is a program and refused on purpose'],
  ['archive/libarchive/test_compat_gtar_1.tar', 'an empty file and a link'],
  ['archive/libarchive/test_fuzz_1.iso.Z', WHY.disc],
  ['archive/libarchive/test_read_filter_gzip_recursive.gz', 'its sum is wrong for every reader'],
  ['archive/libarchive/test_read_filter_zstd_raw_loop', 'twelve bytes of a frame that breaks off'],
  ['archive/libarchive/test_read_too_many_filters.gz', 'packed more often than is opened, on purpose'],
  ['archive/libarchive/test_symlink_1.zip', 'empty files and links'],
  ...under(LIBARCHIVE, WHY.noFile, '7zip_empty_archive.7z tar_empty_filename.tar tar_empty_pax.tar.Z zip_jar.jar'),
  ...under(
    LIBARCHIVE,
    WHY.emptyFiles,
    `7zip_empty_file.7z tar_acl_oob_read.tar tar_concatenated.tar tar_empty_with_gnulabel.tar tar_timestamp_overflow.tar
     xar_base64_oob.xar xar_doublelink.xar xar_large_mode.xar zip_msdos.zip zip_with_invalid_traditional_eocd.zip`,
  ),
  ...under(
    LIBARCHIVE,
    WHY.program,
    `7zip_deflate_arm64.7z 7zip_deflate_powerpc.7z 7zip_lzma2_arm.7z 7zip_lzma2_arm64.7z 7zip_lzma2_powerpc.7z
     7zip_lzma2_riscv.7z 7zip_lzma2_sparc.7z 7zip_zstd_arm.7z 7zip_zstd_bcj.7z 7zip_zstd_nobcj.7z 7zip_zstd_sparc.7z`,
  ),
  [`${LIBARCHIVE}zip_comment_stored_1.zip`, 'an empty file, and a script, which is refused on purpose'],
  ...under(
    LIBARCHIVE,
    WHY.noType,
    `7zip_ppmd_small_block.7z cab_lzx_16bit.cab cab_lzx_e8.cab cab_lzx_invalid_history.cab cab_lzx_literal_control.cab
     mtree_crash747.mtree.bz2 rar5_compressed.rar rar5_multiple_files.rar rar5_solid.rar rar5_win32.rar
     rar_unbound_staticdata.rar zip_high_compression.zip`,
  ),
  ...under(
    LIBARCHIVE,
    'one of two volumes; the file that goes over both is bytes of no type',
    'cab_multi.p1.cab cab_multi.p2.cab',
  ),
  ...under(
    LIBARCHIVE,
    WHY.header7z,
    `7zip_entries_oom.7z 7zip_folders_oom.7z 7zip_malformed.7z 7zip_malformed2.7z 7zip_malformed4.7z
     7zip_malformed_numfiles_oom.7z`,
  ),
  ...under(
    LIBARCHIVE,
    'made by a fuzzer: its data are broken for every reader',
    'cab_lzx_oob.cab cab_skip_malformed.cab',
  ),
  ...under(LIBARCHIVE, WHY.disc, 'iso.iso.Z iso_rockridge_ce_loop.iso.Z iso_zisofs_overflow.iso'),
  ...under(
    LIBARCHIVE,
    WHY.rar5,
    `rar5_block_size_is_too_small.rar rar5_bytes_remaining_underflow.rar rar5_distance_overflow.rar
     rar5_invalid_dict_reference.rar rar5_leftshift1.rar rar5_leftshift2.rar rar5_loop_bug.rar rar5_owner_name_toolong.rar
     rar5_readtables_overflow.rar rar5_truncated_huff.rar rar5_unpacked_size_exceeds_declared.rar
     rar5_window_buf_and_size_desync.rar`,
  ),
  ...under(
    LIBARCHIVE,
    WHY.rar4,
    `rar_endarc_huge.rar rar_invalid1.rar rar_newsub_huge.rar rar_overflow.rar rar_ppmd_use_after_free.rar
     rar_ppmd_use_after_free2.rar rar_symlink_huge.rar`,
  ),
  [`${LIBARCHIVE}tar_V_negative_size.tar`, 'a label and nothing else'],
  [`${LIBARCHIVE}tar_invalid_pax_size.tar`, 'a size below zero: every reader gives it up'],
  [`${LIBARCHIVE}tar_pax_g_large.tar`, 'says 4 GiB of a file that it has not'],
  ...under(
    LIBARCHIVE,
    WHY.zipFuzz,
    `zip_bz2_hang.zip zip_lzma_alone_leak.zipx zip_malformed1.zip zip_ppmd8_crash_1.zipx zip_ppmd8_crash_2.zipx
     zip_zipx_lzma_oom.zipx`,
  ),
  ...under(
    'archive/libzip/',
    WHY.emptyFiles,
    `filename_empty.zip incons-zip64-checkcons-overflow.zip multidisk.zip test-cp437-comment-utf-8.zip
     test-cp437-fc-utf-8-filename.zip test-utf8-unmarked.zip test-utf8.zip testextrabytes.zip testfile-long-comment.zip`,
  ),
  ['archive/libzip/incons-data.zip', 'its sum is wrong for every reader'],
  ['archive/libzip/incons-local-magic-bad.zip', 'its one entry has no header: every reader gives it up'],
  ['archive/libzip/testdir.zip', WHY.noFile],
  ['archive/opf-arj/MAPS.ARJ', WHY.noType],
  ['archive/tika/gbk.zip', WHY.emptyFiles],
  ['archive/tika/quine.gz', 'holds itself, without an end'],
  ['archive/tika/testLZMA_oom', 'nineteen bytes that say 100 TB: every reader gives them up'],
  ['archive/tika/testZIP_corrupted_oom.zip', 'its sizes and its sum are wrong for every reader'],
  ['archive/tika/testZ_oom.Z', 'four bytes of a header'],
  ['archive/tika/testZip_with_DataDescriptor.zip', WHY.noType],

  [`${IMAGE_RS}bad-bmp-Bad_badbitcount.bmp`, '30,000 bits a pixel'],
  [`${IMAGE_RS}bad-bmp-Bad_height.bmp`, '6 × 2,147,483,647 pixels in 128 bytes'],
  [`${IMAGE_RS}bad-bmp-Bad_width.bmp`, '2,147,483,647 × 6 pixels in 128 bytes'],
  [`${IMAGE_RS}bad-bmp-Bad_reallybig.bmp`, '3,000,000 × 2,000,000 pixels in 24 KB'],
  [`${IMAGE_RS}bad-bmp-Bad_shortfile.bmp`, 'cut on purpose'],
  [`${IMAGE_RS}bad-bmp-Bad_unusual_extend_buffer_usage.bmp`, 'made by a fuzzer: no reader takes it'],
  [`${IMAGE_RS}regression-gif-zero-loop-count.gif`, 'a header without a picture'],
  [`${IMAGE_RS}regression-ico-oom-0d0085eb7f66ea55d9119206235cd29e089b9140.ico`, WHY.ico],
  [`${IMAGE_RS}regression-ico-oom-ff076e7064c13ec1f8e2c5bbbfb7a77a08db2361.ico`, WHY.ico],
  ...under(
    `${IMAGE_RS}regression-tga-`,
    WHY.tga,
    `bad-color-map.tga flip-zero-height.tga flip-zero-height2.tga orientation-zero-width.tga overfull-image.tga
     sixteen-bit-gray-colormap.tga sixteen-bit-gray-colormap2.tga slice-copy-length.tga`,
  ),
  ['image/pillow/balloon_eciRGBv2_aware.jp2', 'cut behind its header'],
  ...under(
    'image/pngsuite/',
    WHY.png,
    `xc1n0g08.png xc9n2c08.png xcrn0g04.png xd0n2c08.png xd3n2c08.png xd9n2c08.png xdtn0g01.png xlfn0g04.png xs1n0g01.png
     xs2n0g01.png xs4n0g01.png xs7n0g01.png`,
  ),
  ...under('image/pngsuite/', WHY.pngSums, 'xcsn0g01.png xhdn0g08.png'),
  ['image/tika/testAVIF.avif', 'cut behind its header'],
  ['image/tika/testDJVU.djvu', 'a list of pages that lie in other files'],
]);

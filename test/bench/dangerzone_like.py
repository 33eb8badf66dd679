# The work of Dangerzone in PyMuPDF, as its published source describes it (render to RGB at 150 dpi; per page a PDF of that
# pixmap; one save with deflated images). Reads a path per line (behind a tab: where the file is wanted), answers a JSON
# line: ms, pages, bytes, first page ms.
import io
import json
import sys
import time

import fitz

DPI = int(sys.argv[1])

for line in sys.stdin:
    path, _, keep = line.rstrip("\n").partition("\t")
    started = time.perf_counter()
    answer = {"ms": 0, "pages": 0, "bytes": 0, "first": None}
    try:
        source = fitz.open(path)
        target = fitz.open()
        for page in source:
            pixels = page.get_pixmap(dpi=DPI)
            # What insert_file(Pixmap) does: a PNG that is opened as a document and turned into a page.
            picture = fitz.open("png", pixels.tobytes("png"))
            sheet = fitz.open("pdf", picture.convert_to_pdf())
            sheet_bytes = sheet.tobytes(deflate_images=True)
            target.insert_pdf(fitz.open("pdf", sheet_bytes))
            if answer["first"] is None:
                answer["first"] = (time.perf_counter() - started) * 1000
        out = io.BytesIO()
        target.save(out, deflate=True, garbage=0)
        answer["pages"] = len(target)
        answer["bytes"] = out.tell()
        answer["ms"] = (time.perf_counter() - started) * 1000
        if keep:
            with open(keep, "wb") as file:
                file.write(out.getvalue())
    except Exception as error:  # a peer that fails is counted, not hidden
        answer["error"] = str(error)[:100]
        answer["ms"] = (time.perf_counter() - started) * 1000
    print(json.dumps(answer), flush=True)

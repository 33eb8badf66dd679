// Names that show the ending of a document before the one that counts: `invoice.pdf.exe`. Windows hides the second.
import { isDocumentEnding } from './mismatch.ts';

/** Endings that Windows runs or opens as a disk, or that lead it elsewhere. */
const RUNS =
  /\.([a-z0-9]{2,5})[\s_]*\.(?:exe|scr|com|pif|bat|cmd|js|jse|vbs|vbe|wsf|wsh|wsc|sct|hta|lnk|url|scf|ps1|psm1|msi|msp|msix|appx|msc|cpl|dll|ocx|xll|sys|reg|inf|gadget|jar|jnlp|iso|img|vhdx?|chm|one|application|appref-ms|library-ms|search-ms|searchconnector-ms|settingcontent-ms)\s*$/i;

/** True for such a name, whatever width its letters have, and with blanks or signs that nobody sees in between. */
export function hasTwoEndings(name: string): boolean {
  const shown = RUNS.exec(name.normalize('NFKC').replace(/\p{Cf}/gu, ''))?.[1];
  return shown !== undefined && isDocumentEnding(shown);
}

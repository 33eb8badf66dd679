# Text to bytes of old charsets, by Python's codecs: none of our own code takes part in what a case expects.
# stdin: JSON [[codec, text], …]; stdout: JSON [hex, …]. `cp50221` is what Outlook sends as ISO-2022-JP: CP932's letters,
# NEC and IBM rows among them, in JIS shifts, half-width kana by ESC ( I. `jis7` is kana by SO and SI (JIS X 0202).
import json
import sys

# CP932 lead bytes FA-FC (IBM) exist in JIS only as NEC's selection of them, rows 89-92: the pairs that the cases use.
NEC_SELECTED = {'髙': 0x7C62, '﨑': 0x7975, '彅': 0x7A2C, '德': 0x7A31, '瀨': 0x7B6F}


def jis_of(letter):
    """The JIS code of a letter through CP932, by JIS X 0208 annex 1's arithmetic."""
    if letter in NEC_SELECTED:
        return NEC_SELECTED[letter]
    lead, trail = letter.encode('cp932')
    lead -= 0x71 if lead < 0xA0 else 0xB1
    lead = lead * 2 + 1
    if trail > 0x7F:
        trail -= 1
    if trail >= 0x9E:
        return ((lead + 1) << 8) | (trail - 0x7D)
    return (lead << 8) | (trail - 0x1F)


def cp50221(text):
    out, state = bytearray(), 'B'
    for letter in text:
        point = ord(letter)
        want = 'B' if point < 0x80 else 'I' if 0xFF61 <= point <= 0xFF9F else '$B'
        if want != state:
            out += b'\x1b' + (b'$B' if want == '$B' else b'(' + want.encode())
            state = want
        if want == 'B':
            out.append(point)
        elif want == 'I':
            out.append(point - 0xFF61 + 0x21)
        else:
            out += jis_of(letter).to_bytes(2, 'big')
    return bytes(out) + (b'' if state == 'B' else b'\x1b(B')


def jis7(text):
    out, kana = bytearray(), False
    for letter in text:
        point = ord(letter)
        if (0xFF61 <= point <= 0xFF9F) != kana:
            out += b'\x0f' if kana else b'\x0e'
            kana = not kana
        out.append(point - 0xFF61 + 0x21 if kana else point)
    return bytes(out) + (b'\x0f' if kana else b'')


OWN = {'cp50221': cp50221, 'jis7': jis7}
print(json.dumps([(OWN[c](t) if c in OWN else t.encode(c)).hex() for c, t in json.load(sys.stdin)]))

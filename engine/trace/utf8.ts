/** Text as UTF-8. The engine has no TextEncoder: percent-encoding goes by the bytes of UTF-8. */
export function utf8(text: string): Uint8Array<ArrayBuffer> {
  // A lone surrogate, which has no UTF-8, becomes the replacement character.
  const encoded = encodeURIComponent(text.replace(/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, "\ufffd"));
  const bytes = new Uint8Array(encoded.length);
  let length = 0;
  for (let i = 0; i < encoded.length; i++) {
    const code = encoded.charCodeAt(i);
    if (code === 0x25) {
      bytes[length++] = parseInt(encoded.slice(i + 1, i + 3), 16);
      i += 2;
    } else bytes[length++] = code;
  }
  return bytes.slice(0, length);
}

/** The text of UTF-8 bytes. @throws URIError where they are none */
export function textOf(bytes: Uint8Array): string {
  let encoded = "";
  for (const byte of bytes) encoded += byte < 0x80 && byte !== 0x25 ? String.fromCharCode(byte) : `%${byte.toString(16).padStart(2, "0")}`;
  return decodeURIComponent(encoded);
}

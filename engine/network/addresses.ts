/** Ethernet addresses are 48-bit and IPv4 addresses 32-bit unsigned integers, first octet most significant. */
export const BROADCAST = 0xffff_ffff_ffff;

/** `10.0.0.2` */
export function formatIpv4(address: number): string {
  return `${address >>> 24}.${(address >>> 16) & 255}.${(address >>> 8) & 255}.${address & 255}`;
}

/** `02:00:00:00:00:01` */
export function formatMac(address: number): string {
  return address.toString(16).padStart(12, "0").replace(/..(?=.)/g, "$&:");
}

/** The address as {@link formatMac} writes it, or undefined where `text` is not one. */
export function parseMac(text: string): number | undefined {
  return /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/i.test(text) ? Number.parseInt(text.replaceAll(":", ""), 16) : undefined;
}

/** The address in dotted decimal, or undefined where `text` is not one. */
export function parseIpv4(text: string): number | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
  if (match === null) return undefined;
  let address = 0;
  for (const octet of match.slice(1)) {
    if (Number(octet) > 255) return undefined;
    address = address * 256 + Number(octet);
  }
  return address;
}

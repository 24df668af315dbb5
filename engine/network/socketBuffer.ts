/** `struct sk_buff` and `struct skb_shared_info` of Linux 4.13 on x86-64, in whole cache lines (`SKB_TRUESIZE` is a buffer and both: 832 B for 256). */
export const SK_BUFF = 256;
export const SHARED_INFO = 320;
const LINE = 64;

/**
 * What Linux counts a socket buffer for (its truesize): the memory that kmalloc has for what lies in one piece and for the shared information, a power of two
 * from 512 B on, and the `sk_buff` (`__alloc_skb`, net/core/skbuff.c). What lies in pages beside it counts for its length.
 * @param bytes in one piece, with the room that is reserved
 */
export function truesizeOfPiece(bytes: number): number {
  const wanted = Math.ceil(bytes / LINE) * LINE + SHARED_INFO;
  let size = 512;
  while (size < wanted) size *= 2;
  return size + SK_BUFF;
}

// Exit codes of jailed children; the host turns each into a reason of the contract.

export const EXIT = {
  ok: 0,
  /** The child met a state it did not foresee. */
  failed: 70,
  /** The kernel gave it no more memory. */
  memory: 71,
  /** The host spoke the wire wrongly, or closed it early. */
  wire: 76,
} as const;

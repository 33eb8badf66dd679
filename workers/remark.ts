// What a worker remarks on an input: findings (was dangerous, is gone) and losses (the reader does not see it).

/** A stable code of the contract and a short detail. */
export interface Remark {
  readonly code: string;
  readonly detail: string;
}

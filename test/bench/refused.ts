// A bench that cannot be run as it was asked for: one line says why, and the exit code whose fault it is.

export class BenchRefused extends Error {
  override readonly name = 'BenchRefused';
  /** 2: asked wrongly; 1: something is not here. */
  readonly exitCode: 1 | 2;
  constructor(message: string, exitCode: 1 | 2) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** Refuses names that are no group of a bench. */
export function checkGroups(bench: string, named: readonly string[], groups: readonly string[]): void {
  const unknown = named.filter((name) => !groups.includes(name));
  if (unknown.length > 0)
    throw new BenchRefused(`${bench} has no ${unknown.join(', ')}; its groups: ${groups.join(', ')}`, 2);
}

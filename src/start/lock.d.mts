export declare const startOf: (pid: number) => string | undefined;
export declare const lock: (
  directory: string,
  patienceMs: number,
  whenHeld?: (pid: number) => void,
) => Promise<{ kind: "locked"; release: () => void; share: (pid: number) => void } | { kind: "held"; by: number }>;

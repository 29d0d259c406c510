/** One page of a list. */
export interface Page<T> {
  readonly items: readonly T[];
  /** Opaque: handed back for the page that follows; null at the end. */
  readonly nextCursor: string | null;
}

// Figures under names that operators know from another registry, for dashboards and alerts that they have. An alias
// costs nothing until the page is read: its values are sums of values that are counted anyway.

/** A metric under another name. */
export interface MetricAlias {
  readonly type: "counter" | "gauge";
  readonly help: string;
  /** One series each. */
  readonly series: readonly AliasSeries[];
}

export interface AliasSeries {
  readonly labels?: Readonly<Record<string, string>>;
  /** The metric whose values are summed up. */
  readonly of: string;
  /** Only values with one of these values of each label. */
  readonly where?: Readonly<Record<string, readonly string[]>>;
  /** Only values without any of these. */
  readonly except?: Readonly<Record<string, readonly string[]>>;
}

/** Aliases by their names. */
export type MetricAliases = Readonly<Record<string, MetricAlias>>;

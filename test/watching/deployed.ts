// The files that operators deploy beside Roster, as far as tests read them: the queries of the dashboard and the
// alerts.

import { readFileSync } from "node:fs";
import { join } from "node:path";

const DEPLOY = join(import.meta.dirname, "../../deploy");
export const RULES_FILE = join(DEPLOY, "prometheus/roster.rules.yml");
export const RULES_TEST_FILE = join(DEPLOY, "prometheus/roster.rules.test.yml");
export const SCRAPE_FILE = join(DEPLOY, "prometheus/scrape.yml");

export interface AlertRule {
  readonly name: string;
  readonly query: string;
  /** The lines of the rule. */
  readonly text: string;
}

/** The alert rules, read line by line: the file has one form for all of them. */
export function alertRules(): AlertRule[] {
  const [, ...rules] = readFileSync(RULES_FILE, "utf8").split(/^ {6}- alert: /m);
  return rules.map((text) => {
    const name = text.slice(0, text.indexOf("\n"));
    const query = /^ +expr: (?:>-\n((?: {10}.*\n)+)|(.*)\n)/m.exec(text);
    return { name, text, query: (query?.[1] ?? query?.[2] ?? "").replaceAll(/\s+/g, " ").trim() };
  });
}

interface Panel {
  readonly title: string;
  readonly targets?: readonly { readonly expr: string }[];
}

/** The queries of the dashboard, with the title of their panel, as Grafana sends them for all nodes. */
export function dashboardQueries(): { readonly title: string; readonly query: string }[] {
  const { panels }: { panels: readonly Panel[] } = JSON.parse(
    readFileSync(join(DEPLOY, "grafana/roster.json"), "utf8"),
  );
  return panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ expr }) => ({
      title,
      query: expr.replaceAll("$job", "roster").replaceAll("$instance", ".*").replaceAll("$__rate_interval", "1m"),
    })),
  );
}

/** A metric in a query, with the labels that the query expects it to have. */
export interface UsedMetric {
  readonly name: string;
  readonly labels: readonly string[];
}

// Functions, operators and labels have no such names.
const METRIC = /\b((?:roster|process|nodejs)_[a-z_]+)(?:\{([^}]*)\})?/g;

/** The metrics of ours in a query. */
export function metricsIn(query: string): UsedMetric[] {
  return [...query.matchAll(METRIC)].map(([, name = "", selectors = ""]) => ({
    name,
    labels: [...selectors.matchAll(/(\w+)(?:=|!=|=~|!~)"/g)].map(([, label = ""]) => label),
  }));
}

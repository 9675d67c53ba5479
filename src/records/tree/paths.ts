// Paths of znodes: `/`, or names that each follow a slash.

export const ROOT = "/";

// As ZooKeeper's PathUtils: control characters, and what UTF-16 keeps for surrogates and private use.
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const UNFIT = /[\u0000-\u001f\u007f-\u009f\ud800-\uf8ff\ufff0-\uffff]/;

/** Whether a path may be one. */
export function isPath(path: string): boolean {
  if (path === ROOT) return true;
  if (!path.startsWith("/") || path.endsWith("/") || UNFIT.test(path)) return false;
  return path.split("/").every((name, at) => (at === 0 ? true : name !== "" && name !== "." && name !== ".."));
}

/** The path above; of a name right below the root, the root. Not of the root itself. */
export function parentOf(path: string): string {
  const at = path.lastIndexOf("/");
  return at <= 0 ? ROOT : path.slice(0, at);
}

/** The last name of a path. */
export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** The path of a child. */
export function childPath(parent: string, name: string): string {
  return parent === ROOT ? `/${name}` : `${parent}/${name}`;
}

/** Whether `path` is `ancestor`, or stands below it. */
export function isWithin(path: string, ancestor: string): boolean {
  return ancestor === ROOT || path === ancestor || path.startsWith(`${ancestor}/`);
}

/** The path itself, and all above it up to the root. */
export function* pathAndAncestors(path: string): Generator<string> {
  for (let at = path; ; at = parentOf(at)) {
    yield at;
    if (at === ROOT) return;
  }
}

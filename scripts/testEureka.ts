// Eureka's own clients against a started server: Netflix' for Java (two generations), Python's and Node's; Spring
// Cloud's applications, of Eureka and of Nacos, and of Consul and of ZooKeeper, with each other; and Spring's server of
// Eureka as a peer. Installs them beside the other caches, and runs test/clients/eureka and test/clients/spring. It
// needs Java and Maven, Python 3.9 with venv and pip, and npm; where they are missing nothing can be run: that is a
// failure in CI and a loud note elsewhere.

import { spawnSync } from "node:child_process";
import { cpSync, existsSync, globSync, mkdirSync, rmSync } from "node:fs";
import { delimiter, join } from "node:path";

const ROOT = join(import.meta.dirname, "..");
const SUITE = join(ROOT, "test", "clients", "eureka");
const SPRING = join(ROOT, "test", "clients", "spring");
const FOLDER = join(ROOT, "node_modules", ".cache", "eureka-clients");
// A folder of an earlier set of libraries has another name.
const SPRING_JARS = join(FOLDER, "spring-of-four");
const SERVER_JARS = join(FOLDER, "server-of-spring");
const INSTALL_MS = 5 * 60_000;
const TESTS_MS = 5 * 60_000;

/** Netflix' clients. Most applications have the one of the first generation or, with Spring, the newest one. */
const JAVA = [
  { artifact: "eureka-client", version: "1.10.18", own: "src1" },
  { artifact: "eureka-client-jersey3", version: "2.0.6", own: "src2" },
] as const;

process.exitCode = main();

function main(): number {
  const failed = process.env["CI"] === "true";
  if (!JAVA.every(installJava) || !installSpring() || !installServer() || !install()) {
    console.error(`${failed ? "FAILED" : "NOT RUN"}: Eureka's own clients (${SUITE}) could not be installed.`);
    return failed ? 1 : 0;
  }
  const files = [join(SUITE, "eureka.test.ts"), join(SUITE, "peers.test.ts"), join(SPRING, "spring.test.ts")];
  const tests = ["--test", "--test-reporter=spec", `--test-timeout=${TESTS_MS}`, ...files];
  return run(process.execPath, tests, TESTS_MS + 10_000) ? 0 : 1;
}

function installJava({ artifact, version, own }: (typeof JAVA)[number]): boolean {
  const jars = join(FOLDER, `java-${version}`);
  const pom = join(SUITE, "java", "pom.xml");
  const wanted = [`-Deureka.artifact=${artifact}`, `-Deureka.version=${version}`, `-DoutputDirectory=${jars}`];
  const get = ["-q", "-B", "-f", pom, "dependency:copy-dependencies", ...wanted];
  if (!existsSync(jars) && !run("mvn", get, INSTALL_MS)) return false;
  const classes = join(FOLDER, `classes-${version}`);
  rmSync(classes, { recursive: true, force: true });
  const files = ["src", own].flatMap((folder) => globSync(join(SUITE, "java", folder, "**", "*.java")));
  return run("javac", ["-d", classes, "-cp", join(jars, "*"), ...files], INSTALL_MS);
}

/** An application of Spring Cloud, which has four protocols and is told which one to use. */
function installSpring(): boolean {
  return installWithMaven({ folder: join(SPRING, "java"), jars: SPRING_JARS, classes: "spring-classes" });
}

/** Spring's server of Eureka. */
function installServer(): boolean {
  return installWithMaven({ folder: join(SUITE, "server"), jars: SERVER_JARS, classes: "server-classes" });
}

/** Fetches the libraries of a folder's pom.xml, unless they are there, and compiles its sources. */
function installWithMaven({ folder, jars, classes }: { folder: string; jars: string; classes: string }): boolean {
  const get = ["-q", "-B", "-f", join(folder, "pom.xml"), "dependency:copy-dependencies", `-DoutputDirectory=${jars}`];
  if (!existsSync(jars) && !run("mvn", get, INSTALL_MS)) return false;
  const output = join(FOLDER, classes);
  rmSync(output, { recursive: true, force: true });
  const files = globSync(join(folder, "src", "**", "*.java"));
  return run("javac", ["-parameters", "-d", output, "-cp", join(jars, "*"), ...files], INSTALL_MS);
}

function install(): boolean {
  mkdirSync(FOLDER, { recursive: true });
  cpSync(join(SUITE, "package.json"), join(FOLDER, "package.json"));
  const venv = join(FOLDER, "venv");
  const pip = join(venv, "bin", "pip");
  const requirements = join(SUITE, "requirements.txt");
  return (
    (existsSync(pip) || run("python3", ["-m", "venv", venv], INSTALL_MS)) &&
    run(pip, ["install", "--quiet", "--disable-pip-version-check", "-r", requirements], INSTALL_MS) &&
    run("npm", ["install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", FOLDER], INSTALL_MS)
  );
}

/** Runs a command with its output shown. Returns whether it succeeded. */
function run(command: string, args: readonly string[], timeout: number): boolean {
  const classPaths = JAVA.map(({ version }) =>
    [join(FOLDER, `classes-${version}`), join(FOLDER, `java-${version}`, "*")].join(delimiter),
  );
  const env = {
    ...process.env,
    EUREKA_CLIENTS: FOLDER,
    EUREKA_JAVA: classPaths.join("\n"),
    EUREKA_SERVER: [join(FOLDER, "server-classes"), join(SERVER_JARS, "*")].join(delimiter),
    SPRING_CLASSES: [join(FOLDER, "spring-classes"), join(SPRING_JARS, "*")].join(delimiter),
  };
  return spawnSync(command, args, { cwd: ROOT, env, stdio: "inherit", timeout }).status === 0;
}

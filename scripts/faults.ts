// The small faults that could be planted in a source file: a comparison that is off by one, a condition the wrong way
// round, a call that is left out. Found in the syntax tree, so that types, comments, strings and assertions stay as
// they are and every fault parses. The tree comes from the API of the typescript package, whose entry points are still
// called unstable; its version is pinned, and this file alone uses it.

import {
  type BinaryExpression,
  type CallExpression,
  type Expression,
  isAwaitExpression,
  isBinaryExpression,
  isBreakStatement,
  isCallExpression,
  isConditionalExpression,
  isConstructorDeclaration,
  isContinueStatement,
  isExpressionStatement,
  isIdentifier,
  isIfStatement,
  isImportDeclaration,
  isInterfaceDeclaration,
  isNumericLiteral,
  isPostfixUnaryExpression,
  isPrefixUnaryExpression,
  isPropertyAccessExpression,
  isReturnStatement,
  isSwitchStatement,
  isTypeAliasDeclaration,
  isTypeNode,
  type Node,
  SyntaxKind,
  type SourceFile as Tree,
} from "typescript/unstable/ast";
import { createVirtualFileSystem } from "typescript/unstable/fs";
import { API } from "typescript/unstable/sync";
import type { SourceFile } from "./sourceText.ts";

/** One fault: the characters from `start` to `end` of a file are replaced by `by`. */
export interface Fault {
  readonly path: string;
  readonly start: number;
  readonly end: number;
  readonly by: string;
}

/** The text of the fault's file once the fault is planted. */
export function planted(text: string, { start, end, by }: Fault): string {
  return text.slice(0, start) + by + text.slice(end);
}

/** All faults that could be planted in these files, in the order of the text. */
export function faultsIn(sources: readonly SourceFile[]): Fault[] {
  const root = "/sources";
  const compilerOptions = { noLib: true, noResolve: true, types: [], module: "nodenext" };
  const project = JSON.stringify({ compilerOptions, files: sources.map(({ path }) => path) });
  const texts = Object.fromEntries(sources.map(({ path, text }) => [`${root}/${path}`, text]));
  const fs = createVirtualFileSystem({ [`${root}/tsconfig.json`]: project, ...texts });
  const api = new API({ cwd: root, fs });
  try {
    const snapshot = api.updateSnapshot({ openProjects: [`${root}/tsconfig.json`] });
    const program = snapshot.getProjects()[0]?.program;
    return sources.flatMap(({ path }) => {
      const tree = program?.getSourceFile(`${root}/${path}`);
      return tree === undefined ? [] : faultsOf(tree).map((edit) => ({ path, ...edit }));
    });
  } finally {
    api.close();
  }
}

type Edit = Omit<Fault, "path">;

function faultsOf(tree: Tree): Edit[] {
  const edits: Edit[] = [];
  const replace = (node: Node, by: string): void => {
    edits.push({ start: node.getStart(tree), end: node.end, by });
  };
  const visit = (node: Node): void => {
    if (isUntouched(node)) return;
    for (const plant of PLANTERS) plant(node, replace);
    node.forEachChild(visit);
  };
  visit(tree);
  return edits.sort((a, b) => a.start - b.start);
}

/** Types can't be wrong at run time, and an assertion that is dropped changes nothing in a program that is right. */
function isUntouched(node: Node): boolean {
  if (isImportDeclaration(node) || isInterfaceDeclaration(node) || isTypeAliasDeclaration(node)) return true;
  if (isTypeNode(node)) return true;
  return isCallExpression(node) && isIdentifier(node.expression) && node.expression.text === "assert";
}

type Planter = (node: Node, replace: (node: Node, by: string) => void) => void;

const OPERATORS: ReadonlyMap<SyntaxKind, string> = new Map([
  [SyntaxKind.LessThanToken, "<="],
  [SyntaxKind.LessThanEqualsToken, "<"],
  [SyntaxKind.GreaterThanToken, ">="],
  [SyntaxKind.GreaterThanEqualsToken, ">"],
  [SyntaxKind.EqualsEqualsEqualsToken, "!=="],
  [SyntaxKind.ExclamationEqualsEqualsToken, "==="],
  [SyntaxKind.AmpersandAmpersandToken, "||"],
  [SyntaxKind.BarBarToken, "&&"],
  [SyntaxKind.PlusEqualsToken, "-="],
  [SyntaxKind.MinusEqualsToken, "+="],
]);

const PLANTERS: readonly Planter[] = [
  function operator(node, replace) {
    if (!isBinaryExpression(node)) return;
    const { operatorToken, left, right } = node;
    const by = OPERATORS.get(operatorToken.kind);
    if (by !== undefined) replace(operatorToken, by);
    // Beside `??` the language wants brackets around everything.
    if (operatorToken.kind === SyntaxKind.QuestionQuestionToken)
      replace(node, `((${left.getText()}) && (${right.getText()}))`);
  },

  function offByOne(node, replace) {
    if (!isBinaryExpression(node)) return;
    const { operatorToken, right } = node;
    const isSum = operatorToken.kind === SyntaxKind.PlusToken || operatorToken.kind === SyntaxKind.MinusToken;
    if (isSum && isNumericLiteral(right) && right.text === "1") replace(right, "0");
  },

  function countedTheOtherWay(node, replace) {
    if (!isPrefixUnaryExpression(node) && !isPostfixUnaryExpression(node)) return;
    const name = node.operand.getText();
    const by = node.operator === SyntaxKind.PlusPlusToken ? "--" : "++";
    if (node.operator !== SyntaxKind.PlusPlusToken && node.operator !== SyntaxKind.MinusMinusToken) return;
    replace(node, isPrefixUnaryExpression(node) ? by + name : name + by);
  },

  function otherTruth(node, replace) {
    if (node.kind === SyntaxKind.TrueKeyword) replace(node, "false");
    if (node.kind === SyntaxKind.FalseKeyword) replace(node, "true");
  },

  function otherBound(node, replace) {
    if (!isCallExpression(node) || !isPropertyAccessExpression(node.expression)) return;
    const { expression } = node;
    if (expression.getText() === "Math.min") replace(expression, "Math.max");
    if (expression.getText() === "Math.max") replace(expression, "Math.min");
  },

  function otherWayRound(node, replace) {
    const condition = conditionOf(node);
    if (condition === undefined || (isBinaryExpression(condition) && isEquality(condition))) return;
    const isNegated = isPrefixUnaryExpression(condition) && condition.operator === SyntaxKind.ExclamationToken;
    replace(condition, isNegated ? condition.operand.getText() : `!(${condition.getText()})`);
  },

  function leftOut(node, replace) {
    if (!isExpressionStatement(node)) return;
    const expression = isAwaitExpression(node.expression) ? node.expression.expression : node.expression;
    const isSuper = isCallExpression(expression) && expression.expression.kind === SyntaxKind.SuperKeyword;
    const isAssertion = isUntouched(expression);
    const isCall = isCallExpression(expression) && !isSuper && !isAssertion;
    if (isCall || (isPropertySet(expression) && !isInConstructor(node))) replace(node, ";");
  },

  function nothingReturned(node, replace) {
    if (!isReturnStatement(node) || node.expression === undefined) return;
    if (isCallExpression(node.expression) && isCallOfThis(node.expression)) replace(node, "return undefined as never;");
  },

  function goesOn(node, replace) {
    if (isContinueStatement(node)) replace(node, ";");
    if (isBreakStatement(node) && isOfLoop(node)) replace(node, ";");
  },
];

function conditionOf(node: Node): Expression | undefined {
  if (isIfStatement(node)) return node.expression;
  return isConditionalExpression(node) ? node.condition : undefined;
}

/** The other way round is what `operator` plants already. */
function isEquality({ operatorToken: { kind } }: BinaryExpression): boolean {
  return kind === SyntaxKind.EqualsEqualsEqualsToken || kind === SyntaxKind.ExclamationEqualsEqualsToken;
}

function isPropertySet(expression: Expression): boolean {
  if (!isBinaryExpression(expression) || expression.operatorToken.kind !== SyntaxKind.EqualsToken) return false;
  return isPropertyAccessExpression(expression.left);
}

/** A field that a constructor does not set is found by everything. */
function isInConstructor({ parent: block }: Node): boolean {
  return block.parent !== undefined && isConstructorDeclaration(block.parent);
}

function isCallOfThis({ expression }: CallExpression): boolean {
  return isPropertyAccessExpression(expression) && expression.expression.kind === SyntaxKind.ThisKeyword;
}

/** Whether a `break` leaves a loop; one that ends a case is part of its grammar. */
function isOfLoop(node: Node): boolean {
  for (let around = node.parent; around !== undefined; around = around.parent) {
    if (LOOPS.has(around.kind)) return true;
    if (isSwitchStatement(around)) return false;
  }
  return false;
}

const LOOPS: ReadonlySet<SyntaxKind> = new Set([
  SyntaxKind.ForStatement,
  SyntaxKind.ForOfStatement,
  SyntaxKind.ForInStatement,
  SyntaxKind.WhileStatement,
  SyntaxKind.DoStatement,
]);

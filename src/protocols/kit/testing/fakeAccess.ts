import type { ClientAction } from "../../../access/policy.ts";
import { fail } from "../../../base/errors.ts";
import type { ClientAccess, ClientWish } from "../clientAccess.ts";
import { OPEN_ACCESS } from "../clientAccess.ts";

/** Access by which no client may do anything, with the wishes that were refused. */
export function closedAccess(): ClientAccess & { readonly wishes: ClientWish[]; readonly reached: ClientAction[] } {
  const wishes: ClientWish[] = [];
  const reached: ClientAction[] = [];
  const refused = (wish: object) => fail("PERMISSION_NEEDED", { principal: "eve", ...wish });
  return {
    wishes,
    reached,
    identify: ({ from }, then) => then({ kind: "user", name: "eve", roles: [], from }),
    refusal(_principal, wish) {
      wishes.push(wish);
      return refused({ action: wish.action });
    },
    reach(_principal, action) {
      reached.push(action);
      return "none";
    },
    logIn: (_from, _login, then) => then(refused({})),
    check({ action }) {
      throw refused({ action });
    },
  };
}

/** Access by which every client may do what `isAllowed` says. */
export function accessBy(isAllowed: (wish: ClientWish) => boolean): ClientAccess {
  return {
    ...OPEN_ACCESS,
    refusal: (_principal, wish) => (isAllowed(wish) ? undefined : fail("PERMISSION_NEEDED", { action: wish.action })),
    reach: () => "some",
  };
}

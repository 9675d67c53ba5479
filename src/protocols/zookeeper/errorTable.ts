// The faults of requests from ZooKeeper's clients.

import { type ErrorTable, errorsOf } from "../../base/errors.ts";

/** The meaning of each code, and whether the same request may succeed later. */
export const ZOOKEEPER_ERRORS = {
  ZOOKEEPER_GREETING_INVALID: {
    retry: false,
    meaning: "a connection to zookeeper-port begins with a connect request or a command of four letters",
  },
  ZOOKEEPER_SERVER_BEHIND: {
    retry: true,
    meaning: "the client has seen a later state of the tree than this session can reach; it tries another one",
  },
  ZOOKEEPER_STORE_AWAY: {
    retry: true,
    meaning:
      "this session has not reached the store for most of the client's session timeout, so another one may end the " +
      "client's session: the client is cut off, and tries another one",
  },
  ZOOKEEPER_CONNECTION_MOVED: { retry: true, meaning: "the client's session goes on at another connection" },
  ZOOKEEPER_SESSION_ENDED: { retry: true, meaning: "the client's session has expired, or was closed" },
  ZOOKEEPER_OUTCOME_UNKNOWN: {
    retry: true,
    meaning: "the store failed during a write, which may or may not have been made: the connection is lost",
  },
  ZOOKEEPER_AUTH_FAILED: { retry: false, meaning: "the client named a way to prove itself that is not served here" },
} as const satisfies ErrorTable;

/** Makes an error of the table, to throw or to return. */
export const zookeeperError = errorsOf(ZOOKEEPER_ERRORS);

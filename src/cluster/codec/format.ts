// The byte form of messages between our own nodes. They travel as the content of oneway Bolt requests whose class name
// tells which end of which link speaks (nodeMessages.ts). A content is
//
//   format(1) kind(varint) names(varint count, then each as text) fields
//
// and its parts are
//
//   varint  7 bits a byte, lowest first, up to 2^53 - 1
//   text    varint of twice the bytes, plus 1 if they are UTF-16 (lone surrogates) and not UTF-8; then the bytes
//   name    varint: which of the message's names; for strings that come again within a message
//   stamp   version as int64, time as float64, both big-endian: every Java long and every JavaScript number, exactly
//   list    varint count, then the elements
//   record  its fields, then a tail: varint of its bytes, then the bytes. Stamps and datum versions have none
//
// Neighbouring releases work together as long as fields are only added at the end. In a message that is the end of the
// content, in a record its tail: a reader skips fields that it does not know and gives missing ones a default. Names
// precede the fields, so a name that only a tail uses still counts for every reader. If a reader does not know a kind,
// of a message or of something inside it, the whole message is unknown, never half of it. The format byte changes only
// if that is not enough; then the sender must know from `hello` that the other end reads it.

/** The codec byte of frames with such a content. Clients' codecs are 1 and 11. */
export const NODE_CODEC = 82;

/** The format that this release writes, and the only one that it reads. */
export const FORMAT = 1;

/** A message of a newer release that this one does not know. The receiver ignores it. */
export interface UnknownMessage {
  readonly kind: "unknown";
  /** For logs: `message kind 17`. */
  readonly what: string;
}

import assert from "node:assert/strict";
import { test } from "node:test";
import { SilenceWatch } from "./silenceWatch.ts";

const OPTIONS = { clientProbeMs: 5_000, clientIdleMs: 20_000, clientMuteIdleMs: 45_000 };

function newWatch(options: Partial<typeof OPTIONS> = {}): SilenceWatch {
  return new SilenceWatch({ ...OPTIONS, ...options }, 0);
}

/** The watch of a client that has spoken at 0 and was asked then; it has answered unless it is mute. */
function client({ isMute = false, ...options }: Partial<typeof OPTIONS> & { isMute?: boolean } = {}): SilenceWatch {
  const watch = newWatch(options);
  watch.markSpoken();
  watch.asked(0);
  if (!isMute) watch.answered();
  watch.heard(0);
  return watch;
}

test("the first whole frame makes a client of whoever sent it", () => {
  const watch = newWatch();
  assert.deepEqual([watch.markSpoken(), watch.markSpoken()], [true, false]);
});

test("who has said nothing whole is not asked, a new client is at once, and then after five seconds of silence", () => {
  const watch = newWatch();
  assert.equal(watch.isDueToAsk(100_000), false);
  watch.markSpoken();
  assert.equal(watch.isDueToAsk(0), true);
  watch.asked(0);
  assert.deepEqual([watch.isDueToAsk(4_999), watch.isDueToAsk(5_000)], [false, true]);
  watch.asked(5_000);
  assert.deepEqual([watch.isDueToAsk(9_999), watch.isDueToAsk(10_000)], [false, true]);
  watch.heard(8_000);
  assert.deepEqual([watch.isDueToAsk(12_999), watch.isDueToAsk(13_000)], [false, true]);
});

test("who wants silent clients gone sooner has them asked sooner", () => {
  const watch = client({ clientIdleMs: 8_000 });
  assert.deepEqual([watch.isDueToAsk(1_999), watch.isDueToAsk(2_000)], [false, true]);
});

test("a client that answers is gone after twenty seconds, if it was asked fifteen before", () => {
  const watch = client();
  watch.asked(5_000);
  watch.asked(10_000);
  assert.deepEqual([watch.isGone(19_999), watch.isGone(20_000)], [false, true]);
  const late = client();
  late.asked(9_000);
  assert.deepEqual([late.isGone(23_999), late.isGone(24_000)], [false, true]);
  assert.equal(client().isGone(100_000), false, "it was never asked");
});

test("what is heard of a client makes its time begin anew", () => {
  const watch = client();
  watch.asked(5_000);
  watch.heard(15_000);
  assert.deepEqual([watch.heardMs, watch.silentMs(16_000), watch.isGone(40_000)], [15_000, 1_000, false]);
  watch.asked(20_000);
  assert.deepEqual([watch.isGone(34_999), watch.isGone(35_000)], [false, true]);
});

test("a client that never answers has the longer of the two times, and nobody's client the shorter", () => {
  const mute = client({ isMute: true });
  assert.deepEqual([mute.hasAnswered, mute.isGone(44_999), mute.isGone(45_000)], [false, false, true]);
  const patient = client({ isMute: true, clientIdleMs: 60_000 });
  assert.deepEqual([patient.isGone(59_999), patient.isGone(60_000)], [false, true]);
  assert.deepEqual([newWatch().isGone(19_999), newWatch().isGone(20_000)], [false, true]);
});

test("the time in which this process was away does not count, and never leads beyond now", () => {
  const watch = client();
  watch.asked(5_000);
  watch.resumed(30_000, 35_000);
  assert.equal(watch.heardMs, 30_000);
  assert.deepEqual([watch.isDueToAsk(39_999), watch.isDueToAsk(40_000)], [false, true]);
  assert.deepEqual([watch.isGone(49_999), watch.isGone(50_000)], [false, true]);
  watch.resumed(1_000_000, 60_000);
  assert.equal(watch.heardMs, 60_000);
});

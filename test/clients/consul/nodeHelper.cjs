// In the place of the helper of the client's own tests, which starts agents of Consul: one started server.

"use strict";

const Consul = require("../../lib");

exports.describe = describe;

exports.before = async (test) => {
  test.c1 = new Consul({ host: "127.0.0.1", port: Number(process.env.CONSUL_PORT) });
};

exports.after = async () => {};

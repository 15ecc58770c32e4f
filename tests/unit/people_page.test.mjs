/** The pure parts of the People page, by tables; `test_people_page.py` runs this with node. */

import assert from "node:assert/strict";
import test from "node:test";

import { RefusedError, UnreachableError } from "../../hub/tinyberth_hub/static/people/api.mjs";
import { looksLikeCsv, splitNames, toCsv } from "../../hub/tinyberth_hub/static/people/csv.mjs";
import { formatAgo, formatBytes, formatSpan } from "../../hub/tinyberth_hub/static/people/format.mjs";
import { addOne, bodyOf, runImport } from "../../hub/tinyberth_hub/static/people/import_run.mjs";
import { entriesOf } from "../../hub/tinyberth_hub/static/people/menu.mjs";
import { HERE, filtered, isLastAdmin, sorted } from "../../hub/tinyberth_hub/static/people/view.mjs";

const person = (login, more = {}) => ({
  ...{ name: login, login, uid: 20000, gid: 20000, state: "active", throttled_until: null, admin: false },
  ...{ teams: [], disk: null, server: null, last_seen: null, archive: null, created: null, ...more },
});
const line = (name, more = {}) => ({
  ...{ line: 1, name, login: name, uid: null, gid: null, teams: [], new_teams: [], admin: false },
  ...{ outcome: "new", why: null, ...more },
});
const logins = (people) => people.map((each) => each.login).join(" ");

test("names are split at commas, semicolons, spaces and lines", () => {
  assert.deepEqual(splitNames(" alice, bob;carol\r\n\tdave  eve,"), ["alice", "bob", "carol", "dave", "eve"]);
  assert.deepEqual(splitNames(" \n"), []);
});

test("CSV among names is known by its first line", () => {
  for (const text of ["name,uid\nalice,1", "\uFEFFName,uid", '"name", uid']) {
    assert.ok(looksLikeCsv(text), text);
  }
  for (const text of ["alice,bob", "name", "names,of,people"]) {
    assert.ok(!looksLikeCsv(text), text);
  }
});

test("CSV is quoted, and no cell is a formula", () => {
  assert.equal(
    toCsv([
      ["name", "link"],
      ['a "b", c', "http://x/#y"],
    ]),
    'name,link\r\n"a ""b"", c",http://x/#y\r\n',
  );
  assert.equal(toCsv([["=1+1", "@x", "-2", "+3"]]), "'=1+1,'@x,'-2,'+3\r\n");
});

test("bytes and times are short", () => {
  const bytes = {
    0: "0 B",
    999: "999 B",
    1000: "1.0 KiB",
    98304: "96 KiB",
    1022976: "999 KiB",
    1023999: "1.0 MiB",
    1048576: "1.0 MiB",
    5497558138880: "5.0 TiB",
  };
  for (const [given, wanted] of Object.entries(bytes)) {
    assert.equal(formatBytes(Number(given)), wanted);
  }
  assert.equal(formatBytes(null), "–");
  const minute = 60_000;
  for (const [given, wanted] of [
    [0, "0 min"],
    [119 * minute, "119 min"],
    [120 * minute, "2 h"],
    [48 * 60 * minute, "2 days"],
  ]) {
    assert.equal(formatSpan(given), wanted);
  }
  assert.equal(formatAgo(null, 0), "never");
  assert.equal(formatAgo("2026-01-01T00:00:30Z", Date.parse("2026-01-01T00:01:00Z")), "just now");
  assert.equal(formatAgo("2026-01-01T00:00:00Z", Date.parse("2026-01-01T00:05:00Z")), "5 min ago");
});

test("every column sorts both ways, and what is not known comes last in both", () => {
  const people = [
    person("b", { uid: 10, disk: 5, last_seen: "2026-01-02T00:00:00Z", teams: ["nlp"], admin: true }),
    person("a", { uid: 9, state: "invited" }),
    person("c", { uid: 100, disk: 7, last_seen: "2026-01-01T00:00:00Z", server: { memory: 3 } }),
  ];
  const wanted = {
    name: ["a b c", "c b a"],
    login: ["a b c", "c b a"],
    uid: ["a b c", "c b a"],
    state: ["a b c", "b c a"],
    admin: ["b a c", "a c b"],
    teams: ["b a c", "b a c"],
    disk: ["b c a", "c b a"],
    server: ["c a b", "c a b"],
    last_seen: ["c b a", "b c a"],
  };
  for (const [column, [up, down]] of Object.entries(wanted)) {
    assert.equal(logins(sorted(people, { column, descending: false })), up, column);
    assert.equal(logins(sorted(people, { column, descending: true })), down, `${column}, descending`);
  }
  assert.equal(
    logins(sorted([person("u10"), person("u9")], { column: "name", descending: false })),
    "u9 u10",
  );
});

test("the filter takes every word, in any column; removed people are hidden", () => {
  const people = [
    person("alice", { name: "José.García@uni.example", teams: ["nlp"], uid: 20001 }),
    person("bob", { state: "invited", server: { memory: 1, parked_since: null } }),
    person("carol", { server: { memory: 1, parked_since: "2026-01-01T00:00:00Z" } }),
    person("alice", { state: "removed", archive: "alice~1" }),
  ];
  for (const [text, state, wanted] of [
    ["", HERE, "alice bob carol"],
    ["JOSÉ nlp", HERE, "alice"],
    ["20001", HERE, "alice"],
    ["running", HERE, "bob"],
    ["parked", HERE, "carol"],
    ["nlp bob", HERE, ""],
    ["", "invited", "bob"],
    ["~1", "removed", "alice"],
  ]) {
    assert.equal(logins(filtered(people, { text, state })), wanted, `${text} in ${state}`);
  }
});

test("the last admin is not unmade or removed, nobody removes themselves, and the menu says why", () => {
  const admin = person("admin", { admin: true });
  const gone = person("old", { admin: true, archive: "old~1", state: "removed" });
  const context = { people: [admin, gone, person("bob")], isLocal: true, me: "bob" };
  assert.ok(isLastAdmin(admin, context.people));
  const whyOf = (each, more = {}) =>
    Object.fromEntries(
      entriesOf(each, { ...context, ...more }).map(({ operation, why }) => [operation, why ?? ""]),
    );
  assert.match(whyOf(admin).admin, /last admin/);
  assert.match(whyOf(admin).remove, /last admin/);
  assert.match(whyOf(person("bob")).remove, /you/);
  assert.match(whyOf(person("bob")).stop, /No server/);
  assert.equal(whyOf(person("carol")).remove, "");
  assert.match(whyOf(person("bob")).park, /No server/);
  assert.equal(whyOf(person("bob", { server: { parked_since: null } })).park, "");
  assert.match(whyOf(person("bob", { server: { parked_since: "2026-01-01T00:00:00Z" } })).park, /already/);
  const two = { people: [admin, person("bob", { admin: true })] };
  assert.deepEqual([whyOf(admin, two).admin, whyOf(admin, two).remove], ["", ""]);
  assert.ok(!("link" in whyOf(admin, { isLocal: false })), "no links where people sign in elsewhere");
  assert.deepEqual(Object.keys(whyOf(gone)), ["restore"]);
});

test("only what a line says is asked for", () => {
  assert.deepEqual(bodyOf(line("a")), { name: "a" });
  assert.deepEqual(bodyOf(line("a", { uid: 1005, gid: 1006, teams: ["nlp"], admin: true })), {
    name: "a",
    uid: 1005,
    gid: 1006,
    teams: ["nlp"],
    admin: true,
  });
});

test("an import tells each failure, spoils no other line and keeps the order", async () => {
  let atOnce = 0;
  let most = 0;
  const finished = [];
  const work = async ({ name }) => {
    most = Math.max(most, (atOnce += 1));
    await new Promise((resolve) => setTimeout(resolve, 1));
    atOnce -= 1;
    if (name === "l3") {
      throw new Error("no");
    }
    return { name, login: name, link: "x" };
  };
  const lines = Array.from({ length: 9 }, (_, number) => line(`l${number}`));
  const results = await runImport(lines, work, {
    signal: new AbortController().signal,
    onProgress: (count) => finished.push(count),
  });
  assert.deepEqual(
    results.map(({ done, why }) => done?.name ?? why),
    ["l0", "l1", "l2", "no", "l4", "l5", "l6", "l7", "l8"],
  );
  assert.deepEqual(finished, [1, 2, 3, 4, 5, 6, 7, 8, 9]);
  assert.equal(most, 3);
});

test("a cancelled import finishes what is begun and leaves the rest untried", async () => {
  const cancel = new AbortController();
  const work = async ({ name }) => {
    await new Promise((resolve) => setTimeout(resolve, 1));
    cancel.abort();
    return { name, login: name, link: null };
  };
  const lines = Array.from({ length: 9 }, (_, number) => line(`l${number}`));
  const results = await runImport(lines, work, { signal: cancel.signal, onProgress: () => {} });
  assert.deepEqual(
    results.map(({ done }) => done !== undefined),
    [true, true, true, false, false, false, false, false, false],
  );
  assert.ok(results.every(({ why }) => why === undefined));
});

test("an answer that got lost is asked for again, and who is there then gets a fresh link", async (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const asked = [];
  const answers = [
    new UnreachableError(),
    new RefusedError("a is here already", 409),
    { name: "a", login: "a", link: "fresh" },
  ];
  const api = {
    ask: async (method, path, body) => {
      asked.push([method, path, body]);
      const answer = answers.shift();
      if (answer instanceof Error) {
        throw answer;
      }
      return answer;
    },
  };
  const told = [];
  const onWaiting = (waiting) => {
    told.push(waiting);
    setImmediate(() => context.mock.timers.runAll());
  };
  const done = await addOne(api, line("a"), {
    isLocal: true,
    signal: new AbortController().signal,
    onWaiting,
  });
  assert.equal(done.link, "fresh");
  assert.deepEqual(asked, [
    ["POST", "people", { name: "a" }],
    ["POST", "people", { name: "a" }],
    ["POST", "people/a/link", { if_invited: true }],
  ]);
  assert.equal(told[0], true);
});

test("who exists at the first try is a failure of that line", async () => {
  const api = {
    ask: async () => {
      throw new RefusedError("a is here already", 409);
    },
  };
  const options = { isLocal: true, signal: new AbortController().signal, onWaiting: () => {} };
  await assert.rejects(addOne(api, line("a"), options), /here already/);
});

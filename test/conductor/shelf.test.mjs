// Secrets: written, listed, used, never read.
import { test } from "node:test";
import { assert, refused, secrets } from "./client.mjs";

test("secrets are written, listed, tagged and removed, not read", async () => {
  await secrets.putSecret("crm", "a-long-secret-value");
  assert.equal(await secrets.secretExists("crm"), true);
  assert.deepEqual(await secrets.listAllSecretNames(), ["crm"]);
  await refused(secrets.getSecret("crm"), /not read/);
  await secrets.setSecretTags([{ key: "team", value: "night" }], "crm");
  assert.equal((await secrets.getSecretTags("crm"))[0].value, "night");
  await secrets.deleteSecret("crm");
  // Not secretExists: the client takes any answer for a yes.
  assert.deepEqual(await secrets.listAllSecretNames(), []);
});

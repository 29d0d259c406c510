/** What `npm start` prints once it is ready: where to click, the key, and lines that work when pasted. */
export interface Greeting {
  readonly origin: string;
  readonly adminKey: string;
  readonly isNew: boolean;
  /** The key came from SLUICE_ADMIN_KEY: it is not ours to print. */
  readonly isOwnKey: boolean;
  readonly dataDir: string;
  readonly sandboxed: boolean;
}

const keyLine = ({ adminKey, isNew, isOwnKey, dataDir }: Greeting): string => {
  if (isOwnKey) return "admin key   as SLUICE_ADMIN_KEY has it";
  return `admin key   ${adminKey}${isNew ? "   (new, " : "   ("}kept in ${dataDir}/admin-key)`;
};

const json = "-H 'Content-Type: application/json'";

/** One line that makes an account and its key and sends a first mail. Node reads the JSON: it is what is surely there. */
export const welcome = (greeting: Greeting): string => {
  const { origin, adminKey, isOwnKey, sandboxed } = greeting;
  const admin = isOwnKey ? '"$SLUICE_ADMIN_KEY"' : adminKey;
  const field = (name: string): string => `node -pe 'JSON.parse(fs.readFileSync(0)).${name}'`;
  return `
Sluice is ready.

  API         ${origin}
  docs        ${origin}/docs
${sandboxed ? `  sandbox     ${origin}/sandbox   (what was sent is shown here; nothing leaves this machine)\n` : ""}  ${keyLine(greeting)}

Send a first message: an account in Kathmandu with five mails an hour, a key for it, and one mail.

  ADMIN=${admin}
  ACCOUNT=$(curl -s ${origin}/v1/accounts -H "Authorization: Bearer $ADMIN" ${json} -d '{"name":"First","timezone":"Asia/Kathmandu","quotas":{"email":{"hour":5}}}' | ${field("id")})
  KEY=$(curl -s ${origin}/v1/accounts/$ACCOUNT/keys -H "Authorization: Bearer $ADMIN" ${json} -d '{}' | ${field("key")})
  curl -s ${origin}/v1/email/send -H "Authorization: Bearer $KEY" ${json} -d '{"from":"shop@example.com","to":"ann@example.com","subject":"Hello","text":"It works."}'; echo

Ctrl-C ends it; what was accepted is kept.
`;
};

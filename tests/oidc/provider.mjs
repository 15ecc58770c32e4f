// A university's sign-in, for tests: npm's certified oidc-provider with people of ours.
// node provider.mjs PORT REDIRECT_URI CLIENT_SECRET_FILE PEOPLE_FILE
//
// PEOPLE_FILE is read anew at each sign-in, so that a test can change what is known of a person:
// {"subject": {"preferred_username": "…", "email": "…", "email_verified": true, "groups": […]}}
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

// Installed in the tests' image, not beside this file: the repository is mounted read-only.
const require = createRequire('/opt/oidc/');
const { default: Provider } = await import(require.resolve('oidc-provider'));

const [port, redirectUri, secretFile, peopleFile] = process.argv.slice(2);
const people = () => JSON.parse(readFileSync(peopleFile, 'utf8'));

const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [
    {
      client_id: 'tinyberth',
      client_secret: readFileSync(secretFile, 'utf8').trim(),
      redirect_uris: [redirectUri],
    },
  ],
  claims: {
    openid: ['sub'],
    profile: ['preferred_username', 'groups'],
    email: ['email', 'email_verified'],
  },
  findAccount: (ctx, sub) =>
    people()[sub] && { accountId: sub, claims: () => ({ sub, ...people()[sub] }) },
  // Nobody is asked whether the hub may know who they are: a university has agreed for them.
  loadExistingGrant: async (ctx) => {
    const grant = new ctx.oidc.provider.Grant({
      clientId: ctx.oidc.client.clientId,
      accountId: ctx.oidc.session.accountId,
    });
    grant.addOIDCScope('openid profile email');
    await grant.save();
    return grant;
  },
  pkce: { required: () => true },
  interactions: { url: (ctx, interaction) => `/sign-in/${interaction.uid}` },
  cookies: { keys: ['only for tests'] },
  features: {
    devInteractions: { enabled: false },
    rpInitiatedLogout: {
      enabled: true,
      logoutSource: (ctx, form) => {
        ctx.body = page(`${form}<button type="submit" form="op.logoutForm" name="logout"
          value="yes">Sign out of the university</button>`);
      },
      postLogoutSuccessSource: (ctx) => {
        ctx.body = page('<p>You are signed out of the university.</p>');
      },
    },
  },
});

provider.use(async (ctx, next) => {
  if (!ctx.path.startsWith('/sign-in/')) return next();
  ctx.type = 'html';
  if (ctx.method === 'GET') {
    ctx.body = page(`<form method="post"><label>Who are you?
      <input name="subject" autofocus></label><button>Sign in</button></form>`);
    return undefined;
  }
  const body = await new Promise((resolve) => {
    let text = '';
    ctx.req.on('data', (piece) => (text += piece)).on('end', () => resolve(text));
  });
  const login = { accountId: new URLSearchParams(body).get('subject') };
  ctx.respond = false;
  return provider.interactionFinished(ctx.req, ctx.res, { login });
});

function page(content) {
  return `<!doctype html><meta charset="utf-8"><title>University</title>
    <h1>University of Examples</h1>${content}`;
}

provider.listen(Number(port), '127.0.0.1');

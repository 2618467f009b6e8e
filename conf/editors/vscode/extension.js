// Visual Studio Code: an extension in its smallest form. In a copy of this folder:
//
//     npm install && npx @vscode/vsce package && code --install-extension sievemda-sieve-0.1.0.vsix

const { workspace } = require('vscode');
const { LanguageClient } = require('vscode-languageclient/node');

let client;

// Only what was set: an empty list would mean that nothing is to be changed.
function wishes() {
  const settings = workspace.getConfiguration('sievemda');
  const named = ['extensions', 'include', 'mailboxes'].map((key) => [key, settings.get(key)]);
  return Object.fromEntries(named.filter(([, value]) => value && value.length));
}

exports.activate = () => {
  const [command, ...args] = workspace.getConfiguration('sievemda').get('command');
  client = new LanguageClient(
    'sievemda',
    'Sieve',
    { command, args },
    {
      documentSelector: [{ language: 'sieve' }, { language: 'svtest' }],
      initializationOptions: wishes(),
    }
  );
  return client.start();
};

exports.deactivate = () => client && client.stop();

// Loaded before a child's entry: has Node read what it made of our code earlier. Plain JavaScript, so that it costs nothing itself;
// by this call and not by the environment, which is empty.
const { enableCompileCache } = require('node:module');
const { join } = require('node:path');

enableCompileCache({ directory: join(__dirname, '../node_modules/.cache/mugai-children'), portable: true });

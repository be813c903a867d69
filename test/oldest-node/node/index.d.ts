/** The types of the oldest Node that Vestal runs on, in place of those of the newest; tsconfig.oldest.json checks with them what a user gets. */
/// <reference path="../../../node_modules/node-oldest/index.d.ts" />

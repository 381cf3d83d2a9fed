// Verifies the signature of a receipt with somebody else's library, `jose`, by the keys that the shop publishes.
//
//   node receipt.mjs PRIVACY_JSON < receipt.json
//
// Ends with 0 when it holds and the record beside it is the signed one, with 1 when not.

import { readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { compactVerify, createLocalJWKSet } from 'jose';

const receipt = JSON.parse(readFileSync(0, 'utf8'));
// The address of the keys has other members besides; the library takes it as it is.
const keys = createLocalJWKSet(JSON.parse(readFileSync(process.argv[2], 'utf8')));
try {
  const { payload, protectedHeader } = await compactVerify(receipt.jws, keys, { algorithms: ['EdDSA'] });
  if (protectedHeader.typ !== 'strongroom-record+jws') throw new Error('of another sort');
  if (!isDeepStrictEqual(JSON.parse(new TextDecoder().decode(payload)), receipt.record)) throw new Error('another record');
  console.log('verified');
} catch (error) {
  console.error(`${error.name}: ${error.message}`);
  process.exit(1);
}

import { writeFileSync } from 'node:fs';
import { errorCatalogue } from './error-catalogue.ts';

writeFileSync('docs/errors.md', errorCatalogue());

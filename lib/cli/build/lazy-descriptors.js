// What generated protobuf code calls when it is loaded, in place of the library's own: a file's descriptors are built when one of them
// is first looked at. All of them cost as much as a quick command does altogether, and most commands speak to no machine.
// First of all: what follows refers back to this file while it is loaded.
import { lazily } from './lazily.js';
import { boot as bootNow } from '@bufbuild/protobuf/dist/esm/codegenv2/boot.js';
import { enumDesc as enumNow } from '@bufbuild/protobuf/dist/esm/codegenv2/enum.js';
import { fileDesc as fileNow } from '@bufbuild/protobuf/dist/esm/codegenv2/file.js';
import { messageDesc as messageNow } from '@bufbuild/protobuf/dist/esm/codegenv2/message.js';
import { serviceDesc as serviceNow } from '@bufbuild/protobuf/dist/esm/codegenv2/service.js';

export function boot(...args) {
  return lazily(() => bootNow(...args));
}

export function fileDesc(...args) {
  return lazily(() => fileNow(...args));
}

export function messageDesc(...args) {
  return lazily(() => messageNow(...args));
}

export function enumDesc(...args) {
  return lazily(() => enumNow(...args));
}

export function serviceDesc(...args) {
  return lazily(() => serviceNow(...args));
}

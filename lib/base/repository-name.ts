/** `ssh://git@host/owner/name.git`, `git@host:owner/name` and `https://host/owner/name` are one repository. */
export const repositoryName = (url: string): string =>
  url
    .replace(/^[a-z+]+:\/\//, '')
    .replace(/^[^@/]*@/, '')
    .replace(/^([^/:]+):(?:\d+\/)?/, '$1/')
    .replace(/(?:\.git)?\/?$/, '')
    .toLowerCase();

import { describe, expect, test } from 'vitest'
import { type Case, errorIn, yaml } from './files.ts'

const table: Readonly<Record<string, Case & { readonly error: string }>> = {
  'a tab in the indentation': {
    files: {
      'hosts.yml': yaml`
        all:
          hosts:
        		web1:
      `,
    },
    error: ['hosts.yml:3:1: a tab in the indentation; YAML allows spaces only', '  replace the tab with spaces'].join(
      '\n',
    ),
  },
  'a key that is not indented as its neighbours': {
    files: {
      'hosts.yml': yaml`
        all:
          hosts:
            web1:
           web2:
      `,
    },
    error: ['hosts.yml:4:4: indented otherwise than its neighbours', '  let all of them start in the same column'].join(
      '\n',
    ),
  },
  'a quote that is not closed': {
    files: {
      'hosts.yml': yaml`
        all:
          hosts:
            web1: { note: "open }
      `,
    },
    error: 'hosts.yml:3:19: a quote that is not closed',
  },
  'a bracket that is not closed': {
    files: {
      'hosts.yml': yaml`
        all:
          hosts:
            web1: { a: [1, 2 }
      `,
    },
    error: 'hosts.yml:3:22: a `[` that is not closed',
  },
  'a colon in plain text': {
    files: {
      'hosts.yml': yaml`
        all:
          vars:
            note: see: below
          hosts: web1
      `,
    },
    error: ['hosts.yml:3:11: a second `: ` in one line', '  put quotes around text that has `: ` in it'].join('\n'),
  },
  'a key twice': {
    files: {
      'hosts.yml': yaml`
        all:
          hosts:
            web1:
          vars:
            a: 1
          hosts:
            web2:
      `,
    },
    error: ['hosts.yml:6:3: `hosts` is set twice; first on line 2', '  keep one of the two'].join('\n'),
  },
  'a variable twice in group_vars': {
    files: {
      'hosts.yml': 'all: { hosts: web1 }\n',
      'group_vars/all.yml': yaml`
        a: 1
        b: 2
        a: 3
      `,
    },
    error: ['group_vars/all.yml:3:1: `a` is set twice; first on line 1', '  keep one of the two'].join('\n'),
  },
  'an alias without an anchor': {
    files: {
      'hosts.yml': yaml`
        all:
          hosts:
            web1: *common
      `,
    },
    error: 'hosts.yml:3:11: no anchor `&common` stands before this',
  },
  'an anchor inside itself': {
    files: {
      'hosts.yml': yaml`
        all:
          hosts:
            web1: &w { a: *w }
      `,
    },
    error: 'hosts.yml:3:19: `*w` stands inside what it repeats',
  },
  'two documents in one file': {
    files: {
      'hosts.yml': yaml`
        all: { hosts: web1 }
        ---
        all: { hosts: web2 }
      `,
    },
    error: ['hosts.yml:2:1: a second YAML document starts here', '  keep one per file'].join('\n'),
  },
}

describe('mistakes in YAML that cannot be read are told with their place', () => {
  test.each(Object.entries(table))('%s', async (_, { error, ...given }) => {
    expect(await errorIn(given)).toBe(error)
  })
})

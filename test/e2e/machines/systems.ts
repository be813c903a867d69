/** What each host of this suite is made of: every generation that the lab can make, and another processor. */
export const SYSTEMS: Readonly<Record<string, string>> = {
  'lab-1': 'sid',
  'lab-2': 'trixie-arm64',
  'lab-3': 'bullseye',
  'lab-4': 'bookworm',
  'lab-5': 'trixie',
  'lab-6': 'forky',
}

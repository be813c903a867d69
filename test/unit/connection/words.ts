import fc from 'fast-check'

const special = ["'", '"', '$', '`', '\\', '\n', ' ', '!', '%', '\r', '\t', '*', '~', '#', ';', '&', '|', '{', '}']
const character = fc.oneof(
  fc.constantFrom(...special),
  fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }).filter((one) => one !== '\0' && one.isWellFormed()),
)
/** Texts that a shell might read otherwise than they are meant. No NUL: no argument can hold one. */
export const anyWord = fc.string({ unit: character, maxLength: 20 })

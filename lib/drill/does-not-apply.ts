/** Why a scenario cannot be held in this fleet: a machine, a program or a setting that it takes is not there. */
export class DoesNotApply extends Error {
  override readonly name = 'DoesNotApply'
}

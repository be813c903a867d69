/**
 * A datagram that every member answers: memberlist's ping (hashicorp/memberlist `net.go`), message type 0 and a MessagePack map with
 * `SeqNo` and an empty `Node`, which is taken as "whoever you are". Where the cluster has a label it stands in front: byte 244, its
 * length, itself (`label.go`); a member with another label does not answer.
 */
export const memberlistPing = (label = ''): Buffer => {
  const name = Buffer.from(label)
  const header = name.length > 0 ? Buffer.concat([Buffer.from([244, name.length]), name]) : Buffer.alloc(0)
  const ping = Buffer.concat([
    Buffer.from([0, 0x82, 0xa5]),
    Buffer.from('SeqNo'),
    Buffer.from([1, 0xa4]),
    Buffer.from('Node'),
    Buffer.from([0xa0]),
  ])
  return Buffer.concat([header, ping])
}

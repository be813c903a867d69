/** Which settings of ssh_config(5) are more than the built-in SSH can honour, so that OpenSSH itself must. Pure. */
import { type AlgorithmSetting, algorithmsOf, isAllOurs } from './algorithms.ts'
import type { Settings } from './config.ts'
import { jumpOf } from './proxy-command.ts'

/** Those that the built-in SSH honours itself, or that are sections and files of the configuration. */
const OURS = new Set(
  `host match include configfile hostname port user identityfile identitiesonly identityagent proxyjump userknownhostsfile
  globalknownhostsfile hostkeyalias stricthostkeychecking connecttimeout serveraliveinterval serveralivecountmax addressfamily`.split(
    /\s+/,
  ),
)

/**
 * Those that mean nothing to a connection without a terminal, without forwarded ports of the operator's, that checks each host key by its own rule: what is shown,
 * logged, forwarded, kept or compressed. GSSAPI is one more way to log in, which Debian's own /etc/ssh/ssh_config allows for every host.
 */
const INDIFFERENT = new Set(
  `addkeystoagent batchmode canonicaldomains canonicalizefallbacklocal canonicalizemaxdots canonicalizepermittedcnames channeltimeout
  checkhostip clearallforwardings compression compressionlevel connectionattempts controlmaster controlpath controlpersist dynamicforward
  enableescapecommandline enablesshkeysign escapechar exitonforwardfailure fingerprinthash forwardagent forwardx11 forwardx11timeout
  forwardx11trusted gatewayports gssapiauthentication gssapiclientidentity gssapidelegatecredentials gssapikexalgorithms gssapikeyexchange gssapirenewalforcesrekey
  gssapiserveridentity gssapitrustdns hashknownhosts hostbasedacceptedalgorithms hostbasedkeytypes ignoreunknown ipqos localcommand localforward loglevel logverbose
  nohostauthenticationforlocalhost numberofpasswordprompts obscurekeystroketiming permitlocalcommand permitremoteopen protocol remotecommand remoteforward
  requesttty sendenv sessiontype setenv stdinnull streamlocalbindmask streamlocalbindunlink syslogfacility tag tcpkeepalive tunnel tunneldevice
  updatehostkeys usekeychain visualhostkey warnweakcrypto xauthlocation`.split(/\s+/),
)

/** Values by which a setting asks for nothing that the built-in SSH doesn't do anyway. */
const USUAL: Readonly<Record<string, readonly string[]>> = {
  canonicalizehostname: ['no', 'none'],
  certificatefile: ['none'],
  challengeresponseauthentication: ['yes'],
  hostbasedauthentication: ['no'],
  kbdinteractiveauthentication: ['yes'],
  knownhostscommand: ['none'],
  passwordauthentication: ['yes'],
  pkcs11provider: ['none'],
  proxycommand: ['none'],
  proxyusefdpass: ['no'],
  pubkeyauthentication: ['yes'],
  rekeylimit: ['default none'],
  revokedhostkeys: ['none'],
  securitykeyprovider: ['internal'],
  verifyhostkeydns: ['no'],
}

/** The names of settings that only OpenSSH can honour, lower-cased. */
export const beyondUs = (settings: Settings): readonly string[] =>
  Object.entries(settings).flatMap(([name, value]) =>
    OURS.has(name) || INDIFFERENT.has(name) || honoured(name, [value].flat().join(' ').trim()) ? [] : [name],
  )

const honoured = (name: string, value: string): boolean => {
  if (USUAL[name]?.includes(value.toLowerCase())) return true
  if (name === 'proxycommand') return jumpOf(value) !== null
  if (name === 'ciphers' || name === 'macs' || name === 'kexalgorithms') return isHonoured(name, value)
  return false
}
const isHonoured = (name: AlgorithmSetting, value: string): boolean =>
  isAllOurs(name, value) && algorithmsOf(name, value).length > 0

/** How ssh_config(5) spells a name, as far as it differs from capital letters at its start. */
export const spelt = (name: string): string => SPELT.get(name) ?? name
const SPELT: ReadonlyMap<string, string> = new Map(
  `BindAddress BindInterface CanonicalizeHostname CASignatureAlgorithms CertificateFile ChallengeResponseAuthentication Ciphers HostKeyAlgorithms
  HostbasedAuthentication KbdInteractiveAuthentication KexAlgorithms KnownHostsCommand MACs PasswordAuthentication PKCS11Provider
  PreferredAuthentications ProxyCommand ProxyUseFdpass PubkeyAcceptedAlgorithms PubkeyAcceptedKeyTypes PubkeyAuthentication RekeyLimit
  RequiredRSASize RevokedHostKeys SecurityKeyProvider VerifyHostKeyDNS ForkAfterAuthentication RefuseConnection`
    .split(/\s+/)
    .map((name) => [name.toLowerCase(), name]),
)

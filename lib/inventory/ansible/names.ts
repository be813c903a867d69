/**
 * The names of Ansible's own variables. One that Vestal has no use for is accepted; one that is nearly one of these is a slip.
 * Source: the `vars` of ansible-core's connection, become, shell and inventory plugins, and its documentation's special variables.
 */
export const ANSIBLE_NAMES: ReadonlySet<string> = new Set(
  `connection host port user password timeout pipelining private_key private_key_file private_key_passphrase
  host_key_checking group_priority network_os connection_user python_interpreter perl_interpreter ruby_interpreter
  shell_type shell_executable shell_allow_world_readable_temp remote_tmp async_dir system_tmpdirs admin_users
  common_remote_group module_compression control_path control_path_dir facts_modules facts_parallel
  ssh_host ssh_port ssh_user ssh_pass ssh_password ssh_password_mechanism ssh_private_key ssh_private_key_file
  ssh_private_key_passphrase ssh_timeout ssh_retries ssh_args ssh_common_args ssh_extra_args ssh_executable
  ssh_host_key_checking ssh_pipelining ssh_pkcs11_provider ssh_transfer_method ssh_use_tty ssh_verbosity
  sshpass_prompt scp_executable scp_extra_args sftp_executable sftp_extra_args sftp_batch_mode
  become become_user become_method become_pass become_password become_exe become_flags become_plugin
  sudo_user sudo_pass sudo_exe sudo_flags sudo_chdir su_user su_pass su_exe su_flags su_prompt_l10n
  runas_user runas_pass runas_flags doas_user doas_pass doas_exe doas_flags
  paramiko_host paramiko_port paramiko_user paramiko_pass paramiko_password paramiko_private_key_file
  paramiko_proxy_command paramiko_timeout paramiko_host_key_checking paramiko_use_rsa_sha2_algorithms
  winrm_host winrm_port winrm_user winrm_pass winrm_password winrm_path winrm_scheme winrm_transport
  winrm_server_cert_validation winrm_connection_timeout winrm_kinit_mode winrm_kinit_cmd winrm_kinit_args
  psrp_host psrp_port psrp_user psrp_auth psrp_protocol psrp_path psrp_cert_validation
  docker_extra_args command_timeout connect_timeout persistent_connect_timeout persistent_command_timeout
  check_mode diff_mode facts forks limit play_batch play_hosts play_name version verbosity run_tags skip_tags
  hostname fqdn nodename domain distribution distribution_version distribution_release os_family architecture kernel system
  default_ipv4 default_ipv6 all_ipv4_addresses interfaces env date_time memtotal_mb processor_vcpus service_mgr pkg_mgr`
    .split(/\s+/)
    .map((name) => `ansible_${name}`),
)

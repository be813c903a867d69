"""Answers for many inventories in one process: what `ansible-inventory --list` prints and what `ansible --list-hosts` chooses.

Reads a JSON list of {"paths": [...], "patterns": [...]} from standard input, prints a JSON list of {"list": ..., "hosts": {...}}.
"""

import json
import sys

from ansible import context
from ansible.cli.inventory import InventoryCLI
from ansible.errors import AnsibleError
from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import init_plugin_loader
from ansible.vars.manager import VariableManager

init_plugin_loader()
cli = InventoryCLI(["ansible-inventory", "--list"])
cli.parse()


def chosen(inventory, pattern):
    try:
        inventory.subset(pattern)
        return [host.name for host in inventory.list_hosts("all")]
    except AnsibleError:
        return []


def answer(paths, patterns):
    cli.loader = DataLoader()
    cli.inventory = InventoryManager(loader=cli.loader, sources=paths)
    cli.vm = VariableManager(loader=cli.loader, inventory=cli.inventory)
    listed = json.loads(cli.dump(cli.json_inventory(cli.inventory.groups["all"])))
    return {"list": listed, "hosts": {pattern: chosen(cli.inventory, pattern) for pattern in patterns}}


print(json.dumps([answer(one["paths"], one.get("patterns", [])) for one in json.load(sys.stdin)]))

"""One example at least of every command, as `-h` shows it: what it does, and the line to type."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping

ALL = ""
"""The name of the group of all commands."""
_FIRST = ("demo", "up", "ml online-endpoint create", "ml online-deployment create", "doctor")
"""Whose examples the page of all commands shows."""
_OF_A_GROUP = 3
"""Examples that the page of a group shows."""
_TEXT = """
Start a server in the background: up --detach
Start a server for other machines: up --host 0.0.0.0 --names ml.example.org
Stop the server and all that it runs: down
See whether a server runs: status
Point a shell's clients at the server: env
The same for PowerShell: env --shell powershell
Serve a script as azmlinfsrv does: serve --entry_script score.py --port 5001
See what is missing on this machine: doctor
Look at a deployment before it is created: doctor deployment.yml
See the versions: version
See what a script of az sees: upgrade --yes
See that ml is there: extension list
Begin a script as with az: extension add -n ml -y
Begin a script as with az: extension update -n ml
Begin a script as with az: extension remove -n ml
See everything work: demo

Create an endpoint from a file: ml online-endpoint create -f endpoint.yml
Create one without a server: ml online-endpoint create --local -n greeter
See the address of an endpoint: ml online-endpoint show -n greeter --query scoring_uri -o tsv
See all endpoints as a table: ml online-endpoint list -o table
Send a tenth of the requests elsewhere: ml online-endpoint update -n greeter --traffic "blue=90 green=10"
Delete an endpoint without a question: ml online-endpoint delete -n greeter --yes
Score a request: ml online-endpoint invoke -n greeter -r request.json
Try a deployment without traffic: ml online-endpoint invoke -n greeter --deployment green -r request.json
Take the key into a script: ml online-endpoint get-credentials -n greeter --query primaryKey -o tsv
See the keys: ml online-endpoint list-keys -n greeter
Make the second key anew: ml online-endpoint regenerate-keys -n greeter --key-type secondary
Deploy, and send all requests there: ml online-deployment create -f blue.yml --all-traffic
Try a script without a server: ml online-deployment create --local -f blue.yml
Attach a debugger to a script: ml online-deployment create --local -f blue.yml --vscode-debug
See how a deployment fares: ml online-deployment show -e greeter -n blue
See the deployments of an endpoint: ml online-deployment list -e greeter -o table
Have three instances: ml online-deployment update -e greeter -n blue --set instance_count=3
Delete a deployment that has no traffic: ml online-deployment delete -e greeter -n blue --yes
See the last lines of its log: ml online-deployment get-logs -e greeter -n blue --lines 50
Follow the log while requests come: ml online-deployment get-logs -e greeter -n blue --follow
See how its environment was built: ml online-deployment get-logs -e greeter -n blue -c storage-initializer

Create an endpoint: ml batch-endpoint create -n scorer
See an endpoint: ml batch-endpoint show -n scorer
See all endpoints as a table: ml batch-endpoint list -o table
Change the default deployment: ml batch-endpoint update -n scorer --defaults v2
Delete an endpoint without a question: ml batch-endpoint delete -n scorer --yes
Score a local folder: ml batch-endpoint invoke -n scorer --input ./data
Take the job's name into a script: ml batch-endpoint invoke -n scorer --input azureml:d:1 --query name -o tsv
See the jobs of an endpoint: ml batch-endpoint list-jobs -n scorer -o table
Deploy, and make it the default: ml batch-deployment create -f v1.yml --set-default
See a deployment: ml batch-deployment show -e scorer -n v1
See the deployments of an endpoint: ml batch-deployment list -e scorer -o table
See the jobs of a deployment: ml batch-deployment list-jobs -e scorer -n v1 -o table
Score more files at a time: ml batch-deployment update -e scorer -n v1 --set mini_batch_size=50
Delete a deployment: ml batch-deployment delete -e scorer -n v1 --yes

Create an endpoint with its deployments: ml endpoint create -f endpoint.yml
Try it without a server: ml endpoint create --local -n greeter -f endpoint.yml
See an endpoint and its deployments: ml endpoint show -n greeter
See the batch endpoints: ml endpoint list --type batch -o table
Make an endpoint what its file says: ml endpoint update -n greeter -f endpoint.yml
Scale without the file: ml endpoint update -n greeter --set deployments[0].scale_settings.instance_count=2
Delete one deployment: ml endpoint delete -n greeter --deployment blue --yes
Score a request: ml endpoint invoke -n greeter --request-file request.json
Start a batch job: ml endpoint invoke --type batch -n scorer --input-local-path ./data
See a deployment's log: ml endpoint get-logs -n greeter --deployment blue
See the keys: ml endpoint get-credentials -n greeter
See the keys: ml endpoint list-keys -n greeter
Make a key anew: ml endpoint regenerate-keys -n greeter --key-type primary --yes
See the jobs of a batch endpoint: ml endpoint list-jobs --type batch -n scorer

Create a cluster that may grow: ml compute create -n cpu --type AmlCompute --min-instances 0 --max-instances 4
See a cluster: ml compute show -n cpu
See all computes: ml compute list -o table
Let a cluster grow further: ml compute update -n cpu --max-instances 8
Delete a cluster: ml compute delete -n cpu --yes
Start an instance: ml compute start -n mine
Stop an instance for the night: ml compute stop -n mine
Restart an instance: ml compute restart -n mine
Note a cluster elsewhere: ml compute attach -n k8s --type Kubernetes --resource-id ID --namespace ml
Forget it: ml compute detach -n k8s --yes
See what sizes are here: ml compute list-sizes -o table
See what is in use: ml compute list-usage -o table
See who works on what: ml compute list-nodes -n cpu
Take a node away, as the loss of a low-priority machine does: ml compute evict-node -n cpu --node-id node-0

Register a folder as a model: ml model create -n digits -p ./model --type mlflow_model
See the newest version: ml model show -n digits
See all versions: ml model list -n digits -o table
Fetch the files of a version: ml model download -n digits -v 1 --download-path ./there
Tag a version: ml model update -n digits -v 1 --set tags.reviewed=yes
Leave old versions out of lists: ml model archive -n digits -v 1
Have it in lists again: ml model restore -n digits -v 1
Delete a version: ml model delete -n digits -v 1 --yes
Register an environment: ml environment create -n mine --conda-file conda.yml --image ubuntu
See a version: ml environment show -n mine -v 1
See all environments: ml environment list -o table
Tag a version: ml environment update -n mine -v 1 --tags reviewed=yes
Leave it out of lists: ml environment archive -n mine
Have it in lists again: ml environment restore -n mine
Delete a version: ml environment delete -n mine -v 1 --yes
Register a local folder: ml data create -n images -p ./images --type uri_folder
See a version: ml data show -n images -v 1
See all data: ml data list -o table
Describe a version: ml data update -n images -v 1 --description "Cats and dogs"
Leave it out of lists: ml data archive -n images
Have it in lists again: ml data restore -n images
Delete a version: ml data delete -n images -v 1 --yes
Register a file's paths: ml dataset create -f dataset.yml
See a version: ml dataset show -n images -v 1
See all datasets: ml dataset list -o table
Tag a version: ml dataset update -n images -v 1 --set tags.reviewed=yes
Leave it out of lists: ml dataset archive -n images
Have it in lists again: ml dataset restore -n images
Delete a version: ml dataset delete -n images -v 1 --yes
Register a step: ml component create -f train.yml
See the newest version: ml component show -n train
See archived ones, too: ml component list --include-archived -o table
Tag a version: ml component update -n train -v 1 --set tags.reviewed=yes
Leave it out of lists: ml component archive -n train
Have it in lists again: ml component restore -n train
Delete a version: ml component delete -n train -v 1 --yes
Submit a job and follow it: ml job create -f job.yml --stream
See a job's status: ml job show -n happy_sky --query status -o tsv
See the newest jobs: ml job list --max-results 5 -o table
Follow a job's log: ml job stream -n happy_sky
Fetch all that a job wrote: ml job download -n happy_sky --all
Stop a job: ml job cancel -n happy_sky
Let a batch job rest, and its nodes go: ml job pause -n happy_sky
Go on with it: ml job resume -n happy_sky
See which files failed, and why: ml job failed-items -n happy_sky -o table
Check a file before it is submitted: ml job validate -f job.yml
Tag a job: ml job update -n happy_sky --set tags.best=yes
Leave a job out of lists: ml job archive -n happy_sky
Have it in lists again: ml job restore -n happy_sky
See where its services are: ml job show-services -n happy_sky
Start a job every night: ml schedule create -f nightly.yml
See what comes next, and what went wrong: ml schedule show -n nightly
See all schedules: ml schedule list --include-disabled -o table
Have it start at another time: ml schedule update -n nightly --set trigger.schedule.hours=[3]
Have it rest: ml schedule disable -n nightly
Have it go on: ml schedule enable -n nightly
Start its job now: ml schedule trigger -n nightly
Delete a schedule: ml schedule delete -n nightly --yes
See a version of code: ml code show -n 0123456789abcdef -v 1
Create a datastore from a file: ml datastore create -f store.yml
See a datastore: ml datastore show -n workspaceblobstore
Describe a datastore: ml datastore update -n old --description "Of last year"
Forget a datastore: ml datastore delete -n old
See all datastores: ml datastore list -o table

Create a workspace: ml workspace create -n team -g lazulite --display-name "Our team"
See where a workspace's services are: ml workspace show --query discovery_url -o tsv
See the workspaces of a group: ml workspace list -g lazulite -o table
Describe a workspace: ml workspace update -n team --description "For the team"
Delete a workspace: ml workspace delete -n team --yes
See the storage account's key: ml workspace list-keys --query userStorageKey -o tsv
After a key was made anew: ml workspace sync-keys
Look for what is wrong: ml workspace diagnose
Keep an API's key: ml connection create -f connection.yml
See a connection: ml connection show -n search
See all connections: ml connection list -o table
Have it lead elsewhere: ml connection update -n search --set target=https://other.example.com
Forget a connection: ml connection delete -n search --yes

Build before it is needed: environment build -f environment.yml
See what takes how much room: environment list -o table
See why a build failed: environment show -n 0123456789abcdef0123456789abcdef
Remove what nobody used for a month: environment prune --older-than 30 --yes

See who and where you are: account show
See the subscriptions: account list -o table
Choose a subscription: account set -s 00000000-0000-0000-0000-000000000000
Call a scoring URI with curl: account get-access-token --resource https://ml.azure.com --query accessToken -o tsv
Name the workspace once: configure --defaults group=lazulite workspace=default
See what is kept: configure -l
Make a principal for a pipeline: ad sp create-for-rbac -n ci --role Contributor --scopes /subscriptions/S
Make the principal of an application: ad sp create --id 00000000-0000-0000-0000-000000000000
See the principals whose names begin so: ad sp list --display-name ci
See a principal: ad sp show --id 00000000-0000-0000-0000-000000000000
Delete a principal: ad sp delete --id 00000000-0000-0000-0000-000000000000
Make a new secret: ad sp credential reset --id 00000000-0000-0000-0000-000000000000
See when secrets end: ad sp credential list --id 00000000-0000-0000-0000-000000000000
Void a secret: ad sp credential delete --id 00000000-0000-0000-0000-000000000000 --key-id K
See the signing keys: ad key list
Sign with a new key: ad key rotate
Let somebody deploy: role assignment create --role "AzureML Data Scientist" --assignee A --scope /subscriptions/S
See who may do what: role assignment list --all -o table
Take a role back: role assignment delete --assignee A --role Reader --scope /subscriptions/S
See the roles: role definition list -o table

See how many failed, and how: monitor metrics list --resource onlineEndpoints/greeter --metrics RequestsPerMinute --aggregation Total --filter "statusCode eq '*'"
See what is measured: monitor metrics list-definitions --resource onlineEndpoints/greeter/deployments/blue
See the last events: monitor log-analytics query --analytics-query "AmlOnlineEndpointEventLog | order by TimeGenerated | take 20" -o table
Tell somebody when answers are late: monitor metrics alert create -n late --scopes onlineEndpoints/greeter --condition "avg RequestLatency_P95 > 500" --action ops
See the rules: monitor metrics alert list -o table
See a rule: monitor metrics alert show -n late
Delete a rule: monitor metrics alert delete -n late
Say where alerts go: monitor action-group create -n ops --action webhook mine https://ops.example.com/alerts
See the groups: monitor action-group list -o table
See a group: monitor action-group show -n ops
Delete a group: monitor action-group delete -n ops

See the groups: group list -o table
See a group: group show -n lazulite
Create a group: group create -n team -l local
Ask in a script: group exists -n team
Delete an empty group: group delete -n team --yes
Read anything: rest --url "/subscriptions/{subscriptionId}/resourcegroups" --uri-parameters api-version=2021-04-01
Write anything: rest --method put --url "$URL?api-version=2023-10-01" --body @body.json
See the regions: account list-locations -o table
See the tenant: account tenant list
Sign in as a service principal: login --service-principal -u APP_ID -p SECRET --tenant TENANT
Sign in where there is no secret: login --use-device-code
Let a device with that code sign in: login --approve BCDFGHJK --username APP_ID
Be the administrator of this machine's server: login
Sign out: logout
Sign out: account clear
See where requests go: cloud show --query endpoints.resourceManager -o tsv
See the clouds: cloud list -o table
See the profiles: cloud list-profiles
Begin a script as with az: cloud set -n AzureCloud
Begin a script as with az: cloud register -n Own --endpoint-resource-manager https://localhost:8443
Begin a script as with az: cloud unregister -n Own
Have a command az in a closed network: az-shim ~/bin
Point the real az at the server: az-register
The same, with its settings elsewhere: az-register --folder ~/azure-local
Take the authority's certificate elsewhere: ca export --file lazulite-ca.pem
The same for Windows: ca export --file lazulite-ca.cer --format der
Have browsers of this machine trust the server: ca install
Have an editor check files: schema --folder ~/.schemas
See one schema: schema online-deployment
Complete commands in bash: completion bash

See the accounts: storage account list -o table
See the account: storage account show
See its keys: storage account keys list
Make a key anew: storage account keys renew --key secondary
Connect another tool: storage account show-connection-string -o tsv
Create a container: storage container create -n images
See the containers: storage container list -o table
See a container: storage container show -n images
Ask in a script: storage container exists -n images
Delete a container: storage container delete -n images
Let somebody read for a while: storage container generate-sas -n images --permissions rl --expiry 2030-01-31T12:00Z
Let anybody read: storage container set-permission -n images --public-access blob
Upload a file: storage blob upload -f cat.png -c images -n cats/1.png
Upload a folder: storage blob upload-batch -s ./cats -d images --pattern "*.png"
Download a blob: storage blob download -c images -n cats/1.png -f cat.png
Download a container: storage blob download-batch -s images -d ./there
See the blobs below a folder: storage blob list -c images --prefix cats/ -o table
See a blob: storage blob show -c images -n cats/1.png
Ask in a script: storage blob exists -c images -n cats/1.png
Delete a blob: storage blob delete -c images -n cats/1.png
See what would be deleted: storage blob delete-batch -s images --pattern "*.tmp" --dryrun
Copy a blob: storage blob copy start -c copies -b 1.png --source-container images --source-blob cats/1.png
See metadata: storage blob metadata show -c images -n cats/1.png
Set metadata: storage blob metadata update -c images -n cats/1.png --metadata kind=cat
Let somebody read one blob: storage blob generate-sas -c images -n cats/1.png --permissions r --expiry 2030-01-31T12:00Z --full-uri
See a blob's address: storage blob url -c images -n cats/1.png -o tsv
"""


def examples(commands: Collection[str]) -> dict[str, list[tuple[str, str]]]:
    """What each command's examples do, and their lines, for the commands of these names."""
    found: dict[str, list[tuple[str, str]]] = {}
    for line in filter(None, _TEXT.splitlines()):
        title, _, typed = line.partition(": ")
        words = typed.split()
        named = (" ".join(words[:count]) for count in range(len(words), 0, -1))
        if name := next((each for each in named if each in commands), None):
            found.setdefault(name, []).append((title, f"lazulite {typed}"))
    return found


def help_text(shown: list[tuple[str, str]]) -> str:
    """Examples as knack reads them in a command's help: YAML, and JSON is that."""
    listed = [{"name": title, "text": typed} for title, typed in shown]
    return json.dumps({"type": "command", "examples": listed})


def group_helps(
    groups: Mapping[str, str], shown: Mapping[str, list[tuple[str, str]]]
) -> dict[str, str]:
    """The help of each group, as knack reads it, with the first examples of its commands.

    groups: what they are about, by name; shown: examples by command.
    """
    return {name: _group_help(text, _below(name, shown)) for name, text in groups.items()}


def _below(group: str, shown: Mapping[str, list[tuple[str, str]]]) -> list[tuple[str, str]]:
    if group == ALL:
        return [shown[name][0] for name in _FIRST if name in shown]
    inside = [listed[0] for name, listed in shown.items() if name.startswith(f"{group} ")]
    return inside[:_OF_A_GROUP]


def _group_help(text: str, shown: list[tuple[str, str]]) -> str:
    listed = [{"name": title, "text": typed} for title, typed in shown]
    return json.dumps({"type": "group", "short-summary": text, "examples": listed})

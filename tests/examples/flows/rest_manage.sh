# Managing resources with REST, January 2020: a token, lists, a compute, a run, a model, a workspace.
source "$EXPECT"
cd azureml-examples/rest
subscription=$(az account show --query id -o tsv)
group="subscriptions/$subscription/resourceGroups/$RESOURCE_GROUP"
workspace="$group/providers/Microsoft.MachineLearningServices/workspaces/$WORKSPACE"

# Retrieve a service principal's token
az ad sp create-for-rbac --name flow-manage --role Owner --scopes "/$group" > principal.json
[ "$(jq -r .tenant principal.json)" = "$(az account show --query tenantId -o tsv)" ]
token() {
  curl -X POST "$SERVER/$(jq -r .tenant principal.json)/oauth2/token" \
  -d "grant_type=client_credentials&resource=https%3A%2F%2Fmanagement.azure.com%2F&client_id=$(jq -r .appId principal.json)&client_secret=$1"
}
token "$(jq -r .password principal.json)" > token.json
equals "$(jq -r '.token_type, .resource' token.json | xargs)" 'Bearer https://management.azure.com/'
equals "$(jq -c 'map_values(type) | del(.refresh_token)' token.json)" '{"token_type":"string","expires_in":"string","ext_expires_in":"string","expires_on":"string","not_before":"string","resource":"string","access_token":"string"}'
equals "$(token wrong | jq -r .error)" invalid_client
auth="Authorization:Bearer $(jq -r .access_token token.json)"

# Resource groups; every call needs an api-version, and lists those that there are
curl "$SERVER/subscriptions/$subscription/resourceGroups?api-version=2019-11-01" -H "$auth" > groups.json
equals "$(jq -r '.value[] | select(.name == "'$RESOURCE_GROUP'") | .properties.provisioningState' groups.json)" Succeeded
holds "$(curl "$SERVER/$workspace" -H "$auth")" 2021-10-01

# Workspaces, and their resources
curl "$SERVER/$group/providers/Microsoft.MachineLearningServices/workspaces/?api-version=2019-11-01" -H "$auth" > workspaces.json
jq '.value[] | select(.name == "'$WORKSPACE'")' workspaces.json > workspace.json
equals "$(jq -c '.properties | [.storageAccount, .workspaceId, .discoveryUrl, .creationTime] | map(type)' workspace.json)" '["string","string","string","string"]'
equals "$(jq -c '.properties | [has("keyVault", "applicationInsights", "containerRegistry", "subscriptionState")]' workspace.json)" '[true,true,true,true]'
equals "$(jq -c '[.identity.type, .sku.name, .sku.tier]' workspace.json)" '["SystemAssigned","Basic","Basic"]'
curl "$(jq -r .properties.discoveryUrl workspace.json)" > services.json
equals "$(jq -c '["api","catalog","experimentation","gallery","history","hyperdrive","labeling","modelmanagement","pipelines","studiocoreservices"] - keys' services.json)" '[]'
api=$(jq -r .api services.json)
curl "$api/history/v1.0/$workspace/experiments?api-version=2019-11-01" -H "$auth" > experiments.json
curl "$api/modelmanagement/v1.0/$workspace/models?api-version=2019-11-01" -H "$auth" > models.json
equals "$(jq -c '.value | type' experiments.json models.json | xargs)" 'array array'
curl "$api/datastore/v1.0/$workspace/default?api-version=2019-11-01" -H "$auth" > datastore.json
equals "$(jq -r .name datastore.json)" workspaceblobstore

# Create and modify resources: a compute
curl "$SERVER/$workspace/computes?api-version=2019-11-01" -H "$auth" > computes.json
equals "$(jq -r '.value | type' computes.json)" array
compute() {
  curl -X PUT \
  "$SERVER/$workspace/computes/cpu-compute?api-version=2019-11-01" \
  -H "$auth" -H 'Content-Type: application/json' --dump-header headers --write-out '%{http_code}' --output compute.json \
  -d '{
    "location": "local",
    "properties": {
        "computeType": "AmlCompute",
        "properties": {
            "vmSize": "Standard_D1",
            "vmPriority": "Dedicated",
            "scaleSettings": {
                "maxNodeCount": 1,
                "minNodeCount": 0,
                "nodeIdleTimeBeforeScaleDown": "PT30M"
            }
        }
    },
    "userAccountCredentials": {
        "adminUserName": "operator",
        "adminUserPassword": "Pa55-word"
    }
}'
}
equals "$(compute)" 201
header() { sed -n "s/\r$//; s/^$1: //Ip" headers; }
polled=$(header azure-asyncoperation)
until [ "$(curl "$polled" -H "$auth" | jq -r .status)" = Succeeded ]; do sleep 0.2; done
equals "$(curl "$SERVER/$workspace/computes/cpu-compute?api-version=2019-11-01" -H "$auth" | jq -r '.properties.provisioningState, .properties.properties.vmSize' | xargs)" 'Succeeded Standard_D1'

# Create an experimental run
python3 -m zipfile -c train.zip hello.py
curl "$api/execution/v1.0/$workspace/experiments/my-first-experiment/startrun?api-version=2019-11-01" \
  -X POST \
  -H "Content-Type: multipart/form-data" \
  -H "$auth" \
  -F projectZipFile=@train.zip \
  -F runDefinitionFile=@definition.json > run.json
run=$(jq -r .runId run.json)
holds "$run" my-first-experiment_
watch="$api/history/v1.0/$workspace/experiments/my-first-experiment/runs/$run?api-version=2019-11-01"
until [[ "$(curl "$watch" -H "$auth" | jq -r .status)" =~ Completed|Failed|Canceled ]]; do sleep 0.2; done
equals "$(curl "$watch" -H "$auth" | jq -r '.runId, .status, .target' | xargs)" "$run Completed cpu-compute"
log=$(curl "${watch/\?/\/details?}" -H "$auth" | jq -r '.logFiles["azureml-logs/70_driver_log.txt"]')
equals "$(curl "$log")" 'Hello, REST! 234'
holds "$(curl "$api/history/v1.0/$workspace/experiments?api-version=2019-11-01" -H "$auth" | jq -r '.value[].name')" my-first-experiment

# Delete resources you no longer need: a model
echo weights > model.bin
az ml model create --name flow-manage --version 1 --path model.bin > /dev/null
model="$api/modelmanagement/v1.0/$workspace/models/flow-manage:1?api-version=2019-11-01"
equals "$(curl "$model" -H "$auth" | jq -r .id)" flow-manage:1
curl \
  -X DELETE \
"$model" \
  -H "$auth"
equals "$(curl "$model" -H "$auth" | jq -r .code)" ModelNotFound

# Use REST to score a deployed model
cd ../cli
az ml endpoint create -n for-rest -f endpoints/online/managed/simple-flow/1-create-endpoint-with-blue.yml > /dev/null
scoring_uri=$(az ml endpoint show -n for-rest --query scoring_uri -o tsv)
key=$(az ml endpoint get-credentials -n for-rest --query primaryKey -o tsv)
answer=$(curl "$scoring_uri" \
 -H "Authorization:Bearer $key" \
 -H 'Content-Type: application/json' \
  -d '{ "data" : [ [1, 2, 3, 4, 5, 6, 7, 8, 9, 10] ] }')
equals "$answer" '[485]'
az ml endpoint delete -n for-rest --yes --no-wait

# Create a workspace: its four dependencies first
put() {
  equals "$(curl -X PUT "$SERVER/$group/providers/$1?api-version=$2" -H "$auth" -H 'Content-Type: application/json' -d "$3" | jq -r .properties.provisioningState)" Succeeded
}
put Microsoft.ContainerRegistry/registries/flowregistry 2019-05-01 '{"location": "local", "sku": {"name": "Basic"}, "properties": {"adminUserEnabled": true}}'
put Microsoft.KeyVault/vaults/flowvault 2019-09-01 '{"location": "local", "properties": {}}'
put Microsoft.Insights/components/flowinsights 2015-05-01 '{"location": "local", "kind": "web", "properties": {"Application_Type": "web"}}'
put Microsoft.Storage/storageAccounts/flowstorage 2019-06-01 '{"location": "local", "sku": {"name": "Standard_LRS"}, "kind": "StorageV2", "properties": {}}'
workspace() {
  curl -X PUT \
  "$SERVER/$group/providers/Microsoft.MachineLearningServices/workspaces/by-rest?api-version=2019-11-01" \
  -H "$auth" \
  -H 'Content-Type: application/json' --dump-header headers --write-out '%{http_code}' --output made.json \
  -d "$1"
}
body='{
    "location": "local",
    "properties": {
        "friendlyName" : "By REST",
        "description" : "Made with a PUT",
        "containerRegistry" : "/GROUP/providers/Microsoft.ContainerRegistry/registries/flowregistry",
        "keyVault" : "/GROUP/providers/Microsoft.Keyvault/vaults/flowvault",
        "applicationInsights" : "GROUP/providers/Microsoft.insights/components/flowinsights",
        "storageAccount" : "/GROUP/providers/Microsoft.Storage/storageAccounts/flowstorage"
    },
    "identity" : {
        "type" : "systemAssigned"
    }
}'
body=${body//GROUP/$group}
# A quotation mark that is missing in the document, and lines that it breaks inside of strings
equals "$(workspace "${body/\"keyVault/keyVault}")" 400
holds "$(jq -r .error.message made.json)" 'ine 7'
equals "$(workspace "${body/\/providers/\/\\
providers}")" 400
holds "$(jq -r .error.message made.json)" 'ine 6'
equals "$(workspace "$body")" 202
location=$(header location)
until [ "$(curl "$location" -H "$auth" --output /dev/null --write-out '%{http_code}')" = 200 ]; do sleep 0.2; done
curl "$SERVER/$group/providers/Microsoft.MachineLearningServices/workspaces/by-rest?api-version=2019-11-01" -H "$auth" > made.json
equals "$(jq -r '.properties.provisioningState, .properties.friendlyName, .identity.type' made.json | xargs)" 'Succeeded By REST SystemAssigned'
curl -X DELETE "$SERVER/$group/providers/Microsoft.MachineLearningServices/workspaces/by-rest?api-version=2019-11-01" -H "$auth"
curl -X DELETE "$SERVER/$workspace/computes/cpu-compute?api-version=2019-11-01&underlyingResourceAction=Delete" -H "$auth"
echo 'the flow has ended well'

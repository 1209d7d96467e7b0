# Batch endpoints with REST, October 2021: storage, assets, an endpoint, two jobs, with curl and jq.
source "$EXPECT"
cd azureml-examples/cli

# Variables. The server's address stands for https://management.azure.com.
SUBSCRIPTION_ID=$(az account show --query id | tr -d '\r"')
az configure --defaults group="$RESOURCE_GROUP" workspace="$WORKSPACE"
RESOURCE_GROUP=$(az group show --query name | tr -d '\r"')
WORKSPACE=$(az configure -l | jq -r '.[] | select(.name=="workspace") | .value')
LOCATION=$(az ml workspace show | jq -r '.location')
API_VERSION="2021-10-01"
TOKEN=$(az account get-access-token --query accessToken -o tsv)
export ENDPOINT_NAME=endpt-`echo $RANDOM`
WORKSPACE_URL="$SERVER/subscriptions/$SUBSCRIPTION_ID/resourceGroups/$RESOURCE_GROUP/providers/Microsoft.MachineLearningServices/workspaces/$WORKSPACE"
WORKSPACE_ID=${WORKSPACE_URL#"$SERVER"}

wait_for_completion () {
    operation_id=$1
    access_token=$2
    status="unknown"
    while [[ $status != "Completed" && $status != "Succeeded" && $status != "Failed" && $status != "Canceled" ]]
    do
        operation_result=$(curl --location --request GET $operation_id --header "Authorization: Bearer $access_token")
        status=$(echo $operation_result | jq -r '.status')
        if [[ -z $status || $status == "null" ]]
        then
            status=$(echo $operation_result | jq -r '.properties.status')
        fi
        [ "$status" != null ]
        sleep 0.2
    done
}

# Create compute
response=$(curl --location --request PUT "$WORKSPACE_URL/computes/rest-cluster?api-version=$API_VERSION" \
--header "Authorization: Bearer $TOKEN" \
--header "Content-Type: application/json" \
--data-raw "{
    \"properties\":{
        \"computeType\": \"AmlCompute\",
        \"properties\": {
            \"osType\": \"Linux\",
            \"vmSize\": \"STANDARD_D2_V2\",
            \"scaleSettings\": {
                \"maxNodeCount\": 5,
                \"minNodeCount\": 0
            },
            \"remoteLoginPortPublicAccess\": \"NotSpecified\"
        },
    },
    \"location\": \"$LOCATION\"
}")
equals "$(echo $response | jq -r .properties.properties.scaleSettings.maxNodeCount)" 5

# Get storage account details
response=$(curl --location --request GET "$WORKSPACE_URL/datastores?api-version=$API_VERSION&isDefault=true" \
--header "Authorization: Bearer $TOKEN")
BLOB_URI_PROTOCOL=$(echo $response | jq -r '.value[0].properties.protocol')
BLOB_URI_ENDPOINT=$(echo $response | jq -r '.value[0].properties.endpoint')
AZUREML_DEFAULT_DATASTORE=$(echo $response | jq -r '.value[0].name')
AZUREML_DEFAULT_CONTAINER=$(echo $response | jq -r '.value[0].properties.containerName')
export AZURE_STORAGE_ACCOUNT=$(echo $response | jq -r '.value[0].properties.accountName')
AZURE_STORAGE_CONNECTION_STRING=$(az storage account show-connection-string --name $AZURE_STORAGE_ACCOUNT | jq -r '.connectionString')
BLOB_URI_ROOT="$BLOB_URI_PROTOCOL://$AZURE_STORAGE_ACCOUNT.blob.$BLOB_URI_ENDPOINT/$AZUREML_DEFAULT_CONTAINER"
equals "$AZUREML_DEFAULT_DATASTORE" workspaceblobstore

# Upload and register code
az storage blob upload-batch -d $AZUREML_DEFAULT_CONTAINER/score -s endpoints/batch/mnist/code/ --connection-string $AZURE_STORAGE_CONNECTION_STRING > /dev/null
response=$(curl --location --request PUT "$WORKSPACE_URL/codes/score-mnist/versions/1?api-version=$API_VERSION" \
--header "Authorization: Bearer $TOKEN" \
--header "Content-Type: application/json" \
--data-raw "{
  \"properties\": {
    \"description\": \"Score code\",
    \"codeUri\": \"$BLOB_URI_ROOT/score\"
  }
}")
equals "$(echo $response | jq -r .properties.description)" 'Score code'

# Upload and register model; whoever has no account key may write and read with a SAS
az storage blob upload-batch -d $AZUREML_DEFAULT_CONTAINER/model -s endpoints/batch/mnist/model --connection-string $AZURE_STORAGE_CONNECTION_STRING > /dev/null
SAS=$(az storage container generate-sas -n $AZUREML_DEFAULT_CONTAINER --permissions rlcw --expiry 2099-01-01T00:00Z --connection-string $AZURE_STORAGE_CONNECTION_STRING -o tsv)
BLOBS=$(echo $AZURE_STORAGE_CONNECTION_STRING | tr ';' '\n' | sed -n 's/^BlobEndpoint=//p')
signed() { curl --output answer --write-out '%{http_code}' "${@:2}" "${BLOBS%/}/$AZUREML_DEFAULT_CONTAINER/$1?$SAS"; }
equals "$(signed model/ink.json)" 200
equals "$(jq '."9"' answer)" 0.86
equals "$(signed model/about.txt --request PUT --header 'x-ms-blob-type: BlockBlob' --data-binary 'ink of digits')" 201
equals "$(signed model/about.txt --request DELETE)" 403
response=$(curl --location --request PUT "$WORKSPACE_URL/models/rest-mnist/versions/1?api-version=$API_VERSION" \
--header "Authorization: Bearer $TOKEN" \
--header "Content-Type: application/json" \
--data-raw "{
    \"properties\": {
        \"modelUri\":\"azureml://subscriptions/$SUBSCRIPTION_ID/resourceGroups/$RESOURCE_GROUP/workspaces/$WORKSPACE/datastores/$AZUREML_DEFAULT_DATASTORE/paths/model\"
    }
}")
MODEL_ID=$(echo $response | jq -r .id)
equals "$MODEL_ID" "$WORKSPACE_ID/models/rest-mnist/versions/1"

# Create environment
CONDA_FILE=$(cat endpoints/batch/mnist/environment/conda.json | sed 's/"/\\"/g')
ENV_VERSION=$RANDOM
response=$(curl --location --request PUT "$WORKSPACE_URL/environments/mnist-env/versions/$ENV_VERSION?api-version=$API_VERSION" \
--header "Authorization: Bearer $TOKEN" \
--header "Content-Type: application/json" \
--data-raw "{
    \"properties\":{
        \"condaFile\": $(echo \"$CONDA_FILE\"),
        \"image\": \"mcr.microsoft.com/azureml/openmpi3.1.2-ubuntu18.04:latest\"
    }
}")
equals "$(echo "$response" | jq -r '.properties.condaFile | fromjson | .name')" mnist-env

# Create batch endpoint
put_endpoint() {
  curl --location --request PUT "$WORKSPACE_URL/batchEndpoints/$ENDPOINT_NAME?api-version=$API_VERSION" \
  --header "Content-Type: application/json" \
  --header "Authorization: Bearer $TOKEN" \
  --data-raw "$1"
}
response=$(put_endpoint "{
    \"properties\": {
        \"authMode\": \"aadToken\"
    },
    \"location\": \"$LOCATION\"
}")
operation_id=$(echo $response | jq -r '.properties' | jq -r '.properties' | jq -r '.AzureAsyncOperationUri')
wait_for_completion $operation_id $TOKEN
equals $status Succeeded

# Create batch deployment: numbers as texts, and a comma too many, as people paste them
DEPLOYMENT_NAME="nonmlflowedp"
response=$(curl --location --request PUT "$WORKSPACE_URL/batchEndpoints/$ENDPOINT_NAME/deployments/$DEPLOYMENT_NAME?api-version=$API_VERSION" \
--header "Content-Type: application/json" \
--header "Authorization: Bearer $TOKEN" \
--data-raw "{
    \"location\": \"$LOCATION\",
    \"properties\": {        
        \"model\": {
            \"referenceType\": \"Id\",
            \"assetId\": \"$MODEL_ID\"
        },
        \"codeConfiguration\": {
            \"codeId\": \"$WORKSPACE_ID/codes/score-mnist/versions/1\",
            \"scoringScript\": \"digit_identification.py\"
        },
        \"environmentId\": \"$WORKSPACE_ID/environments/mnist-env/versions/$ENV_VERSION\",
        \"compute\": \"$WORKSPACE_ID/computes/rest-cluster\",
        \"resources\": {
            \"instanceCount\": 1
        },
        \"maxConcurrencyPerInstance\": \"4\",
        \"retrySettings\": {
            \"maxRetries\": 3,
            \"timeout\": \"PT30S\"
        },
        \"errorThreshold\": \"10\",
        \"loggingLevel\": \"info\",
        \"miniBatchSize\": \"5\",
    }
}")
operation_id=$(echo $response | jq -r '.properties.properties.AzureAsyncOperationUri')
wait_for_completion $operation_id $TOKEN
equals $status Succeeded
equals "$(echo $response | jq -c '[.properties | .maxConcurrencyPerInstance, .errorThreshold, .miniBatchSize, .loggingLevel]')" '[4,10,5,"Info"]'

# Set the default batch deployment
response=$(put_endpoint "{
    \"properties\": {
        \"authMode\": \"aadToken\",
        \"defaults\": {
            \"deploymentName\": \"$DEPLOYMENT_NAME\"
        }
    },
    \"location\": \"$LOCATION\"
}")
operation_id=$(echo $response | jq -r '.properties' | jq -r '.properties' | jq -r '.AzureAsyncOperationUri')
wait_for_completion $operation_id $TOKEN

# Invoke the batch endpoint
response=$(curl --location --request GET "$WORKSPACE_URL/batchEndpoints/$ENDPOINT_NAME?api-version=$API_VERSION" \
--header "Content-Type: application/json" \
--header "Authorization: Bearer $TOKEN")
equals "$(echo $response | jq -r .properties.defaults.deploymentName)" $DEPLOYMENT_NAME
SCORING_URI=$(echo $response | jq -r '.properties.scoringUri')
SCORING_TOKEN=$(az account get-access-token --resource https://ml.azure.com --query accessToken -o tsv)
response=$(curl --location --request POST $SCORING_URI \
--header "Authorization: Bearer $SCORING_TOKEN" \
--header "Content-Type: application/json" \
--data-raw "{
    \"properties\": {
        \"dataset\": {
            \"dataInputType\": \"DataUrl\",
            \"Path\": \"https://pipelinedata.blob.core.windows.net/sampledata/mnist\"
        }
    }
}")
JOB_ID=$(echo $response | jq -r '.id')
JOB_ID_SUFFIX=$(echo ${JOB_ID##/*/})
wait_for_completion $SCORING_URI/$JOB_ID_SUFFIX $SCORING_TOKEN
equals $status Completed
equals "$(rows $JOB_ID_SUFFIX predictions.csv | wc -l)" 10

# Create a dataset, and a unique output
DATASET_NAME="rest-mnist"
DATASET_VERSION=$RANDOM
response=$(curl --location --request PUT "$WORKSPACE_URL/datasets/$DATASET_NAME/versions/$DATASET_VERSION?api-version=$API_VERSION" \
--header "Content-Type: application/json" \
--header "Authorization: Bearer $TOKEN" \
--data-raw "{
    \"properties\": {
        \"paths\": [
            {
                \"folder\": \"https://pipelinedata.blob.core.windows.net/sampledata/mnist\"
            }
        ]
    }
}")
equals "$(echo $response | jq -r .name)" $DATASET_VERSION
export OUTPUT_FILE_NAME=predictions_`echo $RANDOM`.csv

# Invoke it with the dataset; the header names the deployment
response=$(curl --location --request POST $SCORING_URI \
--header "Authorization: Bearer $SCORING_TOKEN" \
--header "Content-Type: application/json" \
--header "azureml-model-deployment: $DEPLOYMENT_NAME" \
--data-raw "{
    \"properties\": {
        \"dataset\": {
            \"dataInputType\": \"DatasetVersion\",
            \"datasetName\": \"$DATASET_NAME\",
            \"datasetVersion\": \"$DATASET_VERSION\"
        },
        \"outputDataset\": {
            \"datastoreId\": \"$WORKSPACE_ID/datastores/workspaceblobstore\",
            \"path\": \"$ENDPOINT_NAME\"
        },
        \"outputFileName\": \"$OUTPUT_FILE_NAME\"
    }
}")
JOB_ID=$(echo $response | jq -r '.id')
JOB_ID_SUFFIX=$(echo ${JOB_ID##/*/})
wait_for_completion $SCORING_URI/$JOB_ID_SUFFIX $SCORING_TOKEN
equals $status Completed

# Check the results
equals "$(signed $ENDPOINT_NAME/$OUTPUT_FILE_NAME)" 200
equals "$(sort answer | tail -n 1)" '9.pgm: 9'

# Delete the batch endpoint
curl --location --request DELETE "$WORKSPACE_URL/batchEndpoints/$ENDPOINT_NAME?api-version=$API_VERSION" \
--header "Content-Type: application/json" \
--header "Authorization: Bearer $TOKEN" || true
gone() { equals "$(curl --output /dev/null --write-out '%{http_code}' --header "Authorization: Bearer $TOKEN" "$WORKSPACE_URL/batchEndpoints/$ENDPOINT_NAME?api-version=$API_VERSION")" 404; }
until (gone 2> /dev/null); do sleep 0.2; done
equals "$(az ml job show -n $JOB_ID_SUFFIX --query status -o tsv)" Completed
echo 'the flow has ended well'

# Batch endpoints of October 2021: an endpoint, its default deployment, jobs, a second deployment.
source "$EXPECT"
PUBLISHED=https://pipelinedata.blob.core.windows.net/sampledata

# Prerequisites
az account set -s "$(az account show --query id -o tsv)"
az configure --defaults group="$RESOURCE_GROUP" workspace="$WORKSPACE" location="local"
cd azureml-examples/cli
without_packages endpoints/batch
export ENDPOINT_NAME=endpt-`echo $RANDOM`

# Create compute
az ml compute create -n batch-cluster --type amlcompute --min-instances 0 --max-instances 5 > /dev/null

# Create a batch endpoint, and a default deployment
az ml batch-endpoint create --name $ENDPOINT_NAME > /dev/null
az ml batch-deployment create --name nonmlflowdp --endpoint-name $ENDPOINT_NAME --file endpoints/batch/nonmlflow-deployment.yml --set-default > /dev/null

az ml batch-endpoint create --name $ENDPOINT_NAME-2 --file endpoints/batch/batch-endpoint.yml > endpoint.json
equals "$(jq -r '.name, .auth_mode' endpoint.json | xargs)" "$ENDPOINT_NAME-2 aad_token"

# Check endpoint and deployment details
az ml batch-deployment show --name nonmlflowdp --endpoint-name $ENDPOINT_NAME > deployment.json
equals "$(jq -r '.mini_batch_size, .max_concurrency_per_instance, .error_threshold, .output_action, .retry_settings.timeout' deployment.json | xargs)" '10 2 -1 append_row 30'
az ml batch-endpoint show --name $ENDPOINT_NAME > endpoint.json
equals "$(jq -r .defaults.deployment_name endpoint.json)" nonmlflowdp

# Invoke: data in the cloud
JOB_NAME=$(az ml batch-endpoint invoke --name $ENDPOINT_NAME --input-path folder:$PUBLISHED/mnist --query name -o tsv)
holds "$(az ml job show -n $JOB_NAME --web 2>&1 > /dev/null)" http
az ml job stream -n $JOB_NAME > log
equals "$(az ml job show -n $JOB_NAME --query status -o tsv)" Completed
equals "$(rows $JOB_NAME predictions.csv | xargs -n 2 | cut -d ' ' -f 2 | xargs)" '0 1 2 3 4 5 6 7 8 9'

# Invoke: a registered dataset, local files
printf 'name: published-digits\nversion: 1\npaths:\n- folder: %s/mnist\n' $PUBLISHED > dataset.yml
az ml dataset create --file dataset.yml > /dev/null
mkdir images && curl -o images/four.pgm "$SAMPLEDATA/mnist/4.pgm"
one=$(az ml batch-endpoint invoke --name $ENDPOINT_NAME --input-dataset azureml:published-digits:1 --query name -o tsv)
two=$(az ml batch-endpoint invoke --name $ENDPOINT_NAME --input-local-path images --query name -o tsv)
az ml job stream -n $one > log
az ml job stream -n $two > log
equals "$(rows $one predictions.csv | tail -n 1)" '9.pgm: 9'
equals "$(rows $two predictions.csv)" 'four.pgm: 4'

# Configure the output location and overwrite settings
export OUTPUT_FILE_NAME=predictions_`echo $RANDOM`.csv
OUTPUT_PATH="folder:azureml://datastores/workspaceblobstore/paths/$ENDPOINT_NAME"
JOB_NAME=$(az ml batch-endpoint invoke --name $ENDPOINT_NAME --input-path folder:$PUBLISHED/mnist --output-path $OUTPUT_PATH --set output_file_name=$OUTPUT_FILE_NAME --mini-batch-size 20 --instance-count 5 --set max_concurrency_per_instance=4 --query name -o tsv)
az ml job stream -n $JOB_NAME > log
equals "$(az ml job show -n $JOB_NAME --query status -o tsv)" Completed
equals "$(rows $JOB_NAME $OUTPUT_FILE_NAME | wc -l)" 10
equals "$(az ml batch-endpoint list-jobs --name $ENDPOINT_NAME --query [].name | jq length)" 4

# A second deployment, hosting an MLflow model, which changes nothing of the first
az ml batch-deployment create --name mlflowdp --endpoint-name $ENDPOINT_NAME --file endpoints/batch/mlflow-deployment.yml > /dev/null
equals "$(az ml batch-endpoint show --name $ENDPOINT_NAME --query defaults.deployment_name -o tsv)" nonmlflowdp

# Invoke a deployment by its name
JOB_NAME=$(az ml batch-endpoint invoke --name $ENDPOINT_NAME --deployment-name nonmlflowdp --input-path file:$PUBLISHED/mnist/3.pgm --query name -o tsv)
az ml job stream -n $JOB_NAME > log
equals "$(rows $JOB_NAME predictions.csv)" '3.pgm: 3'

# Update the default deployment
az ml batch-endpoint update --name $ENDPOINT_NAME --defaults deployment_name=mlflowdp > /dev/null
equals "$(az ml batch-endpoint show --name $ENDPOINT_NAME --query defaults.deployment_name -o tsv)" mlflowdp

# Update a deployment
az ml batch-deployment update --name nonmlflowdp --endpoint-name $ENDPOINT_NAME --set mini_batch_size=3 > /dev/null
sed -i 's/^logging_level: info$/logging_level: debug/' endpoints/batch/nonmlflow-deployment.yml
az ml batch-deployment update --name nonmlflowdp --endpoint-name $ENDPOINT_NAME --file endpoints/batch/nonmlflow-deployment.yml > deployment.json
equals "$(jq -r '.logging_level, .mini_batch_size' deployment.json | xargs)" 'debug 10'

# Delete the deployment and the endpoint; jobs stay
az ml batch-deployment delete --name nonmlflowdp --endpoint-name $ENDPOINT_NAME --yes
az ml batch-endpoint delete --name $ENDPOINT_NAME --yes
az ml batch-endpoint delete --name $ENDPOINT_NAME-2 --yes --no-wait
refused az ml batch-endpoint show --name $ENDPOINT_NAME
equals "$(az ml job show -n $JOB_NAME --query status -o tsv)" Completed
echo 'the flow has ended well'

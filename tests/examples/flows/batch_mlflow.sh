# Batch endpoints of October 2021: an MLflow model without code, named and as the default.
source "$EXPECT"
TAXI=https://pipelinedata.blob.core.windows.net/sampledata/nytaxi/taxi-tip-data.csv
cd azureml-examples/cli
export ENDPOINT_NAME=endpt-`echo $RANDOM`
az ml compute create -n batch-cluster --type amlcompute --min-instances 0 --max-instances 5 > /dev/null
az ml batch-endpoint create --name $ENDPOINT_NAME > /dev/null
az ml batch-deployment create --name nonmlflowdp --endpoint-name $ENDPOINT_NAME --file endpoints/batch/nonmlflow-deployment.yml --set-default > /dev/null
az ml batch-deployment create --name mlflowdp --endpoint-name $ENDPOINT_NAME --file endpoints/batch/mlflow-deployment.yml > /dev/null

# Test the new deployment
JOB_NAME=$(az ml batch-endpoint invoke --name $ENDPOINT_NAME --deployment-name mlflowdp --input-path file:$TAXI --query name -o tsv)
az ml job stream -n $JOB_NAME > log
equals "$(az ml job show -n $JOB_NAME --query status -o tsv)" Completed
equals "$(rows $JOB_NAME predictions.csv | xargs)" '0,1.95,taxi-tip-data.csv 1,4.0,taxi-tip-data.csv'

# Update the default deployment
az ml batch-endpoint update --name $ENDPOINT_NAME --defaults deployment_name=mlflowdp > /dev/null
JOB_NAME=$(az ml batch-endpoint invoke --name $ENDPOINT_NAME --input-path file:$TAXI --query name -o tsv)
az ml job stream -n $JOB_NAME > log
equals "$(rows $JOB_NAME predictions.csv | wc -l)" 2
az ml batch-endpoint delete --name $ENDPOINT_NAME --yes
echo 'the flow has ended well'

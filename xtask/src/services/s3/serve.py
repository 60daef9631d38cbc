"""An S3 and STS that check signatures, for the tests of nora-provider-aws.

Prints one line, the value of NORA_TEST_S3_URL, and serves until its standard input ends: it cannot outlive whoever
started it.
"""

import json
import logging
import os
import sys
from urllib.parse import urlencode

# The keys must be made before anybody could sign with one, so checking begins when all of them are there.
os.environ["INITIAL_NO_AUTH_ACTION_COUNT"] = "inf"

import boto3
from moto import settings
from moto.server import ThreadedMotoServer

BUCKET = "nora-orders"

# Every request is a line of its log.
logging.disable()


def allow(*actions):
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}]})


def client(url, service):
    return boto3.client(
        service, endpoint_url=url, region_name="us-east-1", aws_access_key_id="setup", aws_secret_access_key="setup"
    )


def user(iam, name, *actions):
    iam.create_user(UserName=name)
    if actions:
        iam.put_user_policy(UserName=name, PolicyName="access", PolicyDocument=allow(*actions))
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return {f"{name}_id": key["AccessKeyId"], f"{name}_secret": key["SecretAccessKey"]}


def guest(iam, sts):
    trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole"}]}
    role = iam.create_role(RoleName="guest", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    iam.put_role_policy(RoleName="guest", PolicyName="access", PolicyDocument=allow("s3:ListBucket"))
    key = sts.assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
    return {
        "guest_id": key["AccessKeyId"],
        "guest_secret": key["SecretAccessKey"],
        "guest_token": key["SessionToken"],
    }


def main():
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}/"
    iam = client(url, "iam")
    client(url, "s3").create_bucket(Bucket=BUCKET)
    world = {"bucket": BUCKET}
    world |= user(iam, "reader", "s3:ListBucket", "s3:ListAllMyBuckets")
    world |= user(iam, "stranger")
    world |= guest(iam, client(url, "sts"))
    settings.INITIAL_NO_AUTH_ACTION_COUNT = 0
    print(f"{url}?{urlencode(world)}", flush=True)
    sys.stdin.read()


main()

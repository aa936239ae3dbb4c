"""Amazon Bedrock's Converse: spoken by providers only."""

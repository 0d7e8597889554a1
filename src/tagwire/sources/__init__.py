"""Where tags are born: simulated light and the contract every source keeps."""

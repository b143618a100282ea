"""Bytes in, pictures out: one photograph, the samples, folders and tables of many, and what may be changed in one."""

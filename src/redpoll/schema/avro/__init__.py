"""Decoder of Avro to Arrow: a writer schema is compiled to a flat program, which one loop runs over many packets.

``container`` reads the framing, ``tree`` turns a schema into nodes, ``program`` flattens the nodes to
operations, ``machine`` runs them (numba), ``arena`` holds the growing columns and ``decoder`` makes Arrow arrays.
"""

#pragma once

#include "graph/graph.h"
#include "lanthorn/result.h"

namespace lanthorn {

// Every pass keeps what the graph means, up to rounding, and needs types to be inferred. It says
// whether it changed anything; values that it makes get their types from the next inference.

/// Computes what depends on no input, and shapes that are known. Results that are much bigger than
/// what they are made from stay to be computed.
Result<bool> fold_constants(Graph& graph);
/// Takes out what does nothing: Identity, Dropout, Casts to the same type, Reshapes to the same
/// shape, additions of 0, ...
Result<bool> remove_identities(Graph& graph);
/// Makes one of nodes that compute the same.
Result<bool> merge_duplicates(Graph& graph);
/// Puts the branch that an If with a known condition takes in its place.
Result<bool> inline_branches(Graph& graph);
/// Turns an Einsum of two operands that is a batched matrix product into MatMul.
Result<bool> lower_einsum(Graph& graph);
/// Turns decomposed layer and RMS normalization into the operators.
Result<bool> fuse_norms(Graph& graph);
/// Turns decomposed Gelu, Swish, HardSigmoid and HardSwish into the operators.
Result<bool> fuse_activations(Graph& graph);
/// Folds BatchNormalization into the convolution or matrix product before it, and what is left into
/// a multiplication and an addition.
Result<bool> fold_batch_norms(Graph& graph);
/// Folds multiplications by and additions of constants into convolutions and matrix products.
Result<bool> fold_scales(Graph& graph);
/// Folds zero padding into the convolution or pooling that reads it.
Result<bool> fold_pads(Graph& graph);
/// Gives the operator Attention its heads as an axis of their own, as attention that is fused has them.
Result<bool> split_heads(Graph& graph);
/// Finds scaled dot-product attention.
Result<bool> fuse_attention(Graph& graph);
/// Moves images into NHWC order, with operators that want it so, and lets transposes meet and cancel.
Result<bool> move_channels_last(Graph& graph);
/// Lets convolutions and matrix products add bias and residual and apply the activation as they store.
Result<bool> fuse_epilogues(Graph& graph);
/// Makes one operator of multiplying and adding per channel, with a Relu that follows.
Result<bool> fuse_affines(Graph& graph);

}  // namespace lanthorn

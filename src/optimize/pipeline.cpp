#include "optimize/pipeline.h"

#include <initializer_list>

#include "ops/op.h"
#include "optimize/passes.h"

namespace lanthorn {

namespace {

using Pass = Result<bool> (*)(Graph&);

// Rounds after which cleaning stops though it still finds something.
constexpr int kMaxRounds = 8;

/// One pass, and then what follows from it: dead nodes go, types are inferred anew.
Result<bool> apply(Graph& graph, Pass pass) {
  LAN_TRY(const bool changed, pass(graph));
  if (!changed) return false;
  remove_dead_nodes(graph);
  LAN_OK(infer_graph(graph));
  return true;
}

}  // namespace

// Passes that make work for each other, until there is none.
Status clean(Graph& graph) {
  for (int round = 0; round < kMaxRounds; ++round) {
    bool changed = false;
    for (const Pass pass : {fold_constants, remove_identities, merge_duplicates}) {
      LAN_TRY(const bool did, apply(graph, pass));
      changed = changed || did;
    }
    while (true) {
      LAN_TRY(const bool did, apply(graph, inline_branches));
      if (!did) break;
      changed = true;
    }
    if (!changed) break;
  }
  return ok();
}

Status optimize(Graph& graph, const OptimizeOptions& options) {
  LAN_OK(infer_graph(graph));
  remove_dead_nodes(graph);
  LAN_OK(clean(graph));
  for (const Pass pass : {lower_einsum, fuse_activations, fuse_norms, fold_pads, fold_batch_norms, fold_scales, split_heads, fuse_attention}) {
    LAN_TRY(const bool changed, apply(graph, pass));
    if (changed) LAN_OK(clean(graph));
  }
  if (options.channels_last) {
    LAN_TRY(const bool moved, apply(graph, move_channels_last));
    if (moved) LAN_OK(clean(graph));
  }
  // Adding fuses into what multiplied before, so scales and epilogues take turns.
  for (const Pass pass : {fuse_epilogues, fold_scales, fuse_epilogues, fuse_affines}) {
    LAN_TRY(const bool changed, apply(graph, pass));
    if (changed) LAN_OK(clean(graph));
  }
  return graph.verify();
}

}  // namespace lanthorn

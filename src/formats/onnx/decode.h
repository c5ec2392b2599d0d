#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "codec/protobuf.h"
#include "formats/onnx/model.h"

namespace lanthorn::onnx {

/// What decoding one file may still cost. Every message of a file is decoded with the same one.
struct DecodeBudget {
  uint64_t memory_left = 0;
  uint32_t depth_left = 0;

  /// kLimit unless `bytes` more may be allocated.
  Status spend(uint64_t bytes);
};

/// Appends `item` to a list of structs, if the budget allows.
template <class T>
Status push(DecodeBudget& budget, std::vector<T>& list, T item) {
  LAN_OK(budget.spend(2 * sizeof(T)));  // a growing vector holds up to twice its elements
  list.push_back(std::move(item));
  return ok();
}

/// kCorrupt unless the field is a string, bytes or a message.
Status require_bytes(const ProtoField& field);
/// kCorrupt unless the field is a varint.
Status require_varint(const ProtoField& field);
/// The numbers of a repeated field, its loose ones paid from the budget.
Status take_numbers(DecodeBudget& budget, const ProtoField& field, WireType element,
                    ProtoNumbers& numbers);
/// The same for lists that are always short, as int64.
Status take_dims(DecodeBudget& budget, const ProtoField& field, std::vector<int64_t>& dims);

Result<StringPair> decode_pair(const ProtoField& message);
Result<TensorProto> decode_tensor(const ProtoField& message, DecodeBudget& budget);
Result<SparseTensorProto> decode_sparse(const ProtoField& message, DecodeBudget& budget);
Result<TypeProto> decode_type(const ProtoField& message, DecodeBudget& budget);
Result<ValueInfoProto> decode_value_info(const ProtoField& message, DecodeBudget& budget);
Result<AttributeProto> decode_attribute(const ProtoField& message, DecodeBudget& budget);
Result<NodeProto> decode_node(const ProtoField& message, DecodeBudget& budget);
Result<GraphProto> decode_graph(const ProtoField& message, DecodeBudget& budget);

}  // namespace lanthorn::onnx

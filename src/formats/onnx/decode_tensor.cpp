// TensorProto, SparseTensorProto, TypeProto and ValueInfoProto.

#include "formats/onnx/decode.h"

namespace lanthorn::onnx {

Status DecodeBudget::spend(uint64_t bytes) {
  if (bytes > memory_left) {
    return Error{ErrorCode::kLimit, "the model's structure needs more memory than is allowed", "",
                 "raise the memory limit if the file can be trusted"};
  }
  memory_left -= bytes;
  return ok();
}

Status require_bytes(const ProtoField& field) {
  if (field.wire == WireType::kBytes) return ok();
  return Error{ErrorCode::kCorrupt,
               "field " + std::to_string(field.number) + " has the wrong wire type",
               "offset " + std::to_string(field.offset), ""};
}

Status require_varint(const ProtoField& field) {
  if (field.wire == WireType::kVarint) return ok();
  return Error{ErrorCode::kCorrupt,
               "field " + std::to_string(field.number) + " has the wrong wire type",
               "offset " + std::to_string(field.offset), ""};
}

Status take_numbers(DecodeBudget& budget, const ProtoField& field, WireType element,
                    ProtoNumbers& numbers) {
  // A second chunk turns the first into loose numbers: at most eight bytes for each byte.
  if (!numbers.empty() || field.wire != WireType::kBytes) {
    LAN_OK(budget.spend(2 * sizeof(uint64_t)));
  }
  if (!numbers.empty() && field.wire == WireType::kBytes) {
    LAN_OK(budget.spend(16 * field.bytes.size()));
  }
  uint64_t loose = 0;
  LAN_OK(numbers.add(field, element, loose));
  return ok();
}

Status take_dims(DecodeBudget& budget, const ProtoField& field, std::vector<int64_t>& dims) {
  ProtoNumbers numbers;
  LAN_OK(take_numbers(budget, field, WireType::kVarint, numbers));
  LAN_OK(budget.spend(2 * sizeof(int64_t) * numbers.size()));
  numbers.for_each([&](uint64_t value) { dims.push_back(static_cast<int64_t>(value)); });
  return ok();
}

Result<StringPair> decode_pair(const ProtoField& message) {
  LAN_OK(require_bytes(message));
  StringPair pair;
  ProtoReader reader(message);
  for (ProtoField field; reader.next(field);) {
    if (field.number == 1) pair.first = field.text();
    if (field.number == 2) pair.second = field.text();
  }
  LAN_OK(reader.status());
  return pair;
}

Result<TensorProto> decode_tensor(const ProtoField& message, DecodeBudget& budget) {
  LAN_OK(require_bytes(message));
  TensorProto tensor;
  tensor.offset = message.offset;
  ProtoReader reader(message);
  for (ProtoField field; reader.next(field);) {
    switch (field.number) {
      case 1:
        LAN_OK(take_dims(budget, field, tensor.dims));
        break;
      case 2:
        LAN_OK(require_varint(field));
        tensor.data_type = field.integer32();
        break;
      case 3:
        tensor.segmented = true;
        break;
      case 4:
        LAN_OK(take_numbers(budget, field, WireType::kFixed32, tensor.floats));
        break;
      case 5:
        LAN_OK(take_numbers(budget, field, WireType::kVarint, tensor.int32s));
        break;
      case 6:
        LAN_OK(require_bytes(field));
        LAN_OK(push(budget, tensor.strings, field.text()));
        break;
      case 7:
        LAN_OK(take_numbers(budget, field, WireType::kVarint, tensor.int64s));
        break;
      case 8:
        tensor.name = field.text();
        break;
      case 12:
        tensor.doc = field.text();
        break;
      case 9:
        LAN_OK(require_bytes(field));
        tensor.raw = field.bytes;
        break;
      case 10:
        LAN_OK(take_numbers(budget, field, WireType::kFixed64, tensor.doubles));
        break;
      case 11:
        LAN_OK(take_numbers(budget, field, WireType::kVarint, tensor.uint64s));
        break;
      case 13: {
        LAN_TRY(const StringPair pair, decode_pair(field));
        LAN_OK(push(budget, tensor.external_data, pair));
        break;
      }
      case 14:
        LAN_OK(require_varint(field));
        tensor.external = field.integer32() == 1;
        break;
      default:
        break;
    }
  }
  LAN_OK(reader.status());
  return tensor;
}

Result<SparseTensorProto> decode_sparse(const ProtoField& message, DecodeBudget& budget) {
  LAN_OK(require_bytes(message));
  SparseTensorProto sparse;
  ProtoReader reader(message);
  for (ProtoField field; reader.next(field);) {
    if (field.number == 1 || field.number == 2) {
      LAN_TRY(TensorProto part, decode_tensor(field, budget));
      (field.number == 1 ? sparse.values : sparse.indices) = std::move(part);
    } else if (field.number == 3) {
      LAN_OK(take_dims(budget, field, sparse.dims));
    }
  }
  LAN_OK(reader.status());
  return sparse;
}

namespace {

Result<Dimension> decode_dimension(const ProtoField& message) {
  LAN_OK(require_bytes(message));
  Dimension dimension;
  ProtoReader reader(message);
  for (ProtoField field; reader.next(field);) {
    if (field.number == 1 && field.wire == WireType::kVarint) {
      dimension = {field.integer(), {}};
    } else if (field.number == 2) {
      dimension = {std::nullopt, field.text()};
    }
  }
  LAN_OK(reader.status());
  return dimension;
}

// TypeProto.Tensor and TypeProto.SparseTensor
Status decode_tensor_type(const ProtoField& message, DecodeBudget& budget, TypeProto& type) {
  LAN_OK(require_bytes(message));
  ProtoReader reader(message);
  for (ProtoField field; reader.next(field);) {
    if (field.number == 1) {
      LAN_OK(require_varint(field));
      type.element = field.integer32();
    } else if (field.number == 2) {
      LAN_OK(require_bytes(field));
      type.has_shape = true;
      ProtoReader shape(field);
      for (ProtoField dim; shape.next(dim);) {
        if (dim.number != 1) continue;
        LAN_TRY(Dimension dimension, decode_dimension(dim));
        LAN_OK(push(budget, type.dims, dimension));
      }
      LAN_OK(shape.status());
    }
  }
  return reader.status();
}

// TypeProto.Sequence, Optional (the element in field 1) and Map (key 1, value 2).
Status decode_outer_type(const ProtoField& message, uint32_t inner, DecodeBudget& budget,
                         TypeProto& type) {
  LAN_OK(require_bytes(message));
  ProtoReader reader(message);
  for (ProtoField field; reader.next(field);) {
    if (field.number == inner) {
      LAN_TRY(TypeProto element, decode_type(field, budget));
      LAN_OK(budget.spend(sizeof(TypeProto) + 32));
      type.inner = std::make_shared<const TypeProto>(std::move(element));
    } else if (field.number == 1) {
      LAN_OK(require_varint(field));
      type.element = field.integer32();
    }
  }
  return reader.status();
}

}  // namespace

Result<TypeProto> decode_type(const ProtoField& message, DecodeBudget& budget) {
  LAN_OK(require_bytes(message));
  if (budget.depth_left == 0) return Error{ErrorCode::kLimit, "types are nested too deep", "", ""};
  --budget.depth_left;
  TypeProto type;
  ProtoReader reader(message);
  for (ProtoField field; reader.next(field);) {
    using enum TypeProto::Kind;
    switch (field.number) {
      case 1:
        type = {.kind = kTensor};
        LAN_OK(decode_tensor_type(field, budget, type));
        break;
      case 4:
        type = {.kind = kSequence};
        LAN_OK(decode_outer_type(field, 1, budget, type));
        break;
      case 5:
        type = {.kind = kMap};
        LAN_OK(decode_outer_type(field, 2, budget, type));
        break;
      case 7:
        type = {.kind = kOpaque};
        break;
      case 8:
        type = {.kind = kSparse};
        LAN_OK(decode_tensor_type(field, budget, type));
        break;
      case 9:
        type = {.kind = kOptional};
        LAN_OK(decode_outer_type(field, 1, budget, type));
        break;
      default:
        break;
    }
  }
  ++budget.depth_left;
  LAN_OK(reader.status());
  return type;
}

Result<ValueInfoProto> decode_value_info(const ProtoField& message, DecodeBudget& budget) {
  LAN_OK(require_bytes(message));
  ValueInfoProto info;
  ProtoReader reader(message);
  for (ProtoField field; reader.next(field);) {
    if (field.number == 1) {
      info.name = field.text();
    } else if (field.number == 2) {
      auto type = decode_type(field, budget);
      if (!type) return std::move(type).error().at("value '" + std::string(info.name) + "'");
      info.type = *std::move(type);
    } else if (field.number == 3) {
      info.doc = field.text();
    } else if (field.number == 4) {
      LAN_TRY(const StringPair pair, decode_pair(field));
      LAN_OK(push(budget, info.metadata, pair));
    }
  }
  LAN_OK(reader.status());
  return info;
}

}  // namespace lanthorn::onnx

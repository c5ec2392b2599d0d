#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include "serve/http.h"

namespace lanthorn {

using HttpParser = boost::beast::http::request_parser<boost::beast::http::string_body>;

/// Sets what the parser of one request puts up with; before its first byte.
void limit_parser(HttpParser& parser, const HttpLimits& limits);
/// What a request whose head is complete is refused with before its body is read, if it is.
std::optional<HttpAnswer> refuse_head(const HttpParser& parser);
/// The answer to a request that Boost.Beast could not read to its end; none where there is nobody or
/// nothing to answer.
std::optional<HttpAnswer> refuse_unreadable(boost::beast::error_code error,
                                            const HttpLimits& limits);
/// Takes a whole request out of its parser. False where its target is no path.
bool take_request(HttpParser& parser, HttpRequest& request);

/// Splits a request's target: absolute form is accepted, the query goes, %XX are decoded. False where
/// it is no path.
bool decode_target(std::string_view target, std::string& path);

}  // namespace lanthorn

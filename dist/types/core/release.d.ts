/**
 * Gives a buffer's memory back at once and leaves it empty, where the memory is this buffer's alone. V8 lets tens of
 * megabytes of garbage outside its heap pile up, and then collects all of its heap for them.
 * @param spare bytes of the memory that the buffer may leave out; 0 when somebody else may use the rest
 */
export declare function release({ buffer, length }: Buffer, spare?: number): void;
